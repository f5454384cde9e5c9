#ifndef VERDANT_APPS_CRAWLER_BODY_FILE_H_
#define VERDANT_APPS_CRAWLER_BODY_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace verdant::crawler {

// A body on its way into a file of its own, DIR/NUMBER with eight digits, under which name it
// appears only once complete. The names are ours: nothing that a server says becomes part of a
// path.
class BodyFile {
 public:
  BodyFile(std::string_view directory, std::int64_t number);
  BodyFile(const BodyFile&) = delete;
  BodyFile& operator=(const BodyFile&) = delete;
  // Removes what was not committed.
  ~BodyFile();

  absl::Status Append(std::string_view bytes);
  absl::Status Commit();

  // Makes the directory if it is not there.
  static absl::Status MakeDirectory(const std::string& directory);

 private:
  absl::Status Open();

  const std::string path_;
  const std::string partial_path_;
  int fd_ = -1;
};

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_BODY_FILE_H_
