#ifndef VERDANT_APPS_CRAWLER_LINE_WRITER_H_
#define VERDANT_APPS_CRAWLER_LINE_WRITER_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace verdant::crawler {

// Lines into a file or standard output, gathered so that a line costs no system call, and written
// out at the latest a second later, so that a crash loses little. The first failure (disk full,
// pipe closed) is kept and returned from then on. Belongs to one hub's thread.
class LineWriter {
 public:
  enum class Existing {
    kReplace,
    kRefuse,  // AlreadyExists when the file is there
  };
  // Opens `path` for writing; "-" is standard output.
  static absl::StatusOr<LineWriter> Open(const std::string& path, Existing existing);

  LineWriter(LineWriter&& other) noexcept;
  LineWriter& operator=(LineWriter&& other) noexcept;
  // Writes out what is left, as far as possible.
  ~LineWriter();

  // Adds a complete line, its end included.
  absl::Status Write(std::string_view line);
  absl::Status Flush();
  // Flush() and close, reporting what closing finds.
  absl::Status Close();

 private:
  struct State;
  explicit LineWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Writes all of `bytes` to `fd`, going on after short writes and EINTR; the error names `name`.
absl::Status WriteFully(int fd, std::string_view bytes, std::string_view name);

}  // namespace verdant::crawler

#endif  // VERDANT_APPS_CRAWLER_LINE_WRITER_H_
