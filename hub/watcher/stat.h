#ifndef VERDANT_HUB_WATCHER_STAT_H_
#define VERDANT_HUB_WATCHER_STAT_H_

#include <sys/stat.h>

#include <string>

#include "absl/time/time.h"
#include "hub/watcher/timer.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls when what stat(2) says of a path has changed: that it has come or gone, its size, times,
// owner, mode, or that it is another file now. Row B8.5.
//
// Looks every `interval` of the hub's clock. That sees changes on every file system, network ones
// included, and of paths whose folders do not exist yet, where inotify is blind; a change taken
// back within the interval goes unseen, and each look is a system call that waits for the disk if
// it must.
class StatWatcher final : public Watcher {
 public:
  static constexpr absl::Duration kDefaultInterval = absl::Seconds(5);

  StatWatcher(std::string path, Callback callback)
      : StatWatcher(std::move(path), kDefaultInterval, std::move(callback)) {}
  // Throws std::logic_error if `interval` is not positive.
  StatWatcher(std::string path, absl::Duration interval, Callback callback);
  ~StatWatcher() override { StopForGood(); }

  // Before and after the change last seen; both as of Start() at first. st_nlink is 0 where there
  // was no file.
  const struct stat& previous() const { return previous_; }
  const struct stat& current() const { return current_; }
  const std::string& path() const { return path_; }

 private:
  void Arm() override;
  void Disarm() noexcept override { timer_.Stop(); }
  void Look();

  const std::string path_;
  TimerWatcher timer_;
  struct stat previous_ = {};
  struct stat current_ = {};
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_STAT_H_
