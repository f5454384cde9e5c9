#ifndef VERDANT_HUB_WATCHER_IO_H_
#define VERDANT_HUB_WATCHER_IO_H_

#include <cstdint>
#include <string>

#include "hub/internal/fd_table.h"
#include "hub/io.h"
#include "hub/watcher/watcher.h"

namespace verdant {

// Calls at each turn of the hub at which a file descriptor is ready, for as long as it is active:
// level-triggered. Row B8.5. For a descriptor that green threads read and write there is
// IoDescriptor, which is cheaper; for one whose directions come and go, FdListener.
class IoWatcher final : public Watcher, private internal::FdWatcher {
 public:
  // `events`: kIoRead, kIoWrite or both. The descriptor is not owned; whoever closes it first stops
  // the watcher. Start() throws std::logic_error if another watcher, listener or green thread has
  // the descriptor in that direction, or if it is not open. What the kernel cannot watch, a regular
  // file, is always ready.
  IoWatcher(int fd, std::uint32_t events, Callback callback);
  ~IoWatcher() override { StopForGood(); }

  int fd() const { return fd_; }
  // What it was ready for when last called; kIoHangup may come unasked.
  std::uint32_t ready() const { return ready_; }

 private:
  void Arm() override;
  void Disarm() noexcept override;
  void OnReady(std::uint32_t events) noexcept override;
  std::string Describe() const override { return "an io watcher"; }
  bool stale() const override { return !identity_.SameAs(fd_); }
  void OnObsolete() noexcept override { Stop(); }

  const int fd_;
  const std::uint32_t events_;
  internal::FileIdentity identity_;
  std::uint32_t ready_ = kIoNone;
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_IO_H_
