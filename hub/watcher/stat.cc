#include "hub/watcher/stat.h"

#include <stdexcept>
#include <utility>

namespace verdant {
namespace {

struct stat Look(const std::string& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) found = {};
  return found;
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Being read, which moves st_atim, is no change.
bool Same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_mode == b.st_mode &&
         a.st_nlink == b.st_nlink && a.st_uid == b.st_uid && a.st_gid == b.st_gid &&
         a.st_size == b.st_size && SameTime(a.st_mtim, b.st_mtim) && SameTime(a.st_ctim, b.st_ctim);
}

}  // namespace

StatWatcher::StatWatcher(std::string path, absl::Duration interval, Callback callback)
    : Watcher("a stat watcher's callback", std::move(callback)),
      path_(std::move(path)),
      timer_(interval, interval, [this] { Look(); }) {
  if (interval <= absl::ZeroDuration()) {
    throw std::logic_error("StatWatcher: the interval must be positive");
  }
  timer_.Unref();  // this watcher's own ref() decides
}

void StatWatcher::Arm() {
  previous_ = current_ = verdant::Look(path_);
  timer_.Start();
}

void StatWatcher::Look() {
  struct stat now = verdant::Look(path_);
  if (Same(now, current_)) return;
  previous_ = std::exchange(current_, now);
  Call();
}

}  // namespace verdant
