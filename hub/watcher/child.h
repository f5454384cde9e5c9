#ifndef VERDANT_HUB_WATCHER_CHILD_H_
#define VERDANT_HUB_WATCHER_CHILD_H_

#include <sys/types.h>

#include <string>

#include "hub/internal/fd_table.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls when a child process has ended, and reaps it; not by signals or by asking again and again
// but through a pidfd (row B8.5, decision 17). Calls once and is not active any more then; started
// again after the end it calls again, with the same status.
class ChildWatcher final : public Watcher, private internal::FdWatcher {
 public:
  // `pid` is a child of this process that nobody else waits for. Throws std::logic_error if there
  // is no such process, std::runtime_error if the kernel has no pidfd to give (Linux before 5.3, or
  // none left).
  ChildWatcher(pid_t pid, Callback callback);
  ~ChildWatcher() override;

  pid_t pid() const { return pid_; }
  // As waitpid() gives it, for WIFEXITED and its like; -1 before the end, and if somebody else has
  // reaped the child.
  int status() const { return status_; }

 private:
  void Arm() override;
  void Disarm() noexcept override;
  void OnReady(std::uint32_t events) noexcept override;
  std::string Describe() const override;

  const pid_t pid_;
  int pidfd_;
  int status_ = -1;
  bool reaped_ = false;
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_CHILD_H_
