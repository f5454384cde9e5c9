#include "apps/crawler/body_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/crawler/line_writer.h"

namespace verdant::crawler {

BodyFile::BodyFile(std::string_view directory, std::int64_t number)
    : path_(absl::StrFormat("%s/%08d", directory, number)), partial_path_(path_ + ".part") {}

BodyFile::~BodyFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(partial_path_.c_str());
}

absl::Status BodyFile::Open() {
  fd_ = open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", partial_path_));
  return absl::OkStatus();
}

absl::Status BodyFile::Append(std::string_view bytes) {
  if (fd_ < 0) {
    if (absl::Status status = Open(); !status.ok()) return status;
  }
  return WriteFully(fd_, bytes, partial_path_);
}

absl::Status BodyFile::Commit() {
  if (fd_ < 0) {
    if (absl::Status status = Open(); !status.ok()) return status;
  }
  if (close(std::exchange(fd_, -1)) != 0 || rename(partial_path_.c_str(), path_.c_str()) != 0) {
    const absl::Status status = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path_));
    unlink(partial_path_.c_str());
    return status;
  }
  return absl::OkStatus();
}

absl::Status BodyFile::MakeDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0777) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", directory));
}

}  // namespace verdant::crawler
