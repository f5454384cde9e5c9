#ifndef VERDANT_NET_STOP_SIGNAL_H_
#define VERDANT_NET_STOP_SIGNAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace verdant::net {

// Asks servers to end in good order, from outside: one may be given to several. Belongs to one
// hub's thread; Stop() may be called from a green thread or from a hub callback (a signal watcher,
// a timer).
class StopSignal {
 public:
  StopSignal() : calls_(std::make_shared<Calls>()) {}
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Has whoever watches begin to stop, in the order in which they began to watch; never waits.
  // Idempotent.
  void Stop();
  bool stopped() const { return stopped_; }

  struct Calls {
    std::uint64_t next = 0;
    std::map<std::uint64_t, absl::AnyInvocable<void()>> by_order;
  };
  // As long as it lives, the call it was made for is made when the signal stops.
  class Watch {
   public:
    Watch() = default;
    Watch(std::shared_ptr<Calls> calls, std::uint64_t key) : calls_(std::move(calls)), key_(key) {}
    Watch(Watch&& other) noexcept = default;
    Watch& operator=(Watch&& other) noexcept {
      std::swap(calls_, other.calls_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Watch() {
      if (calls_ != nullptr) calls_->by_order.erase(key_);
    }

   private:
    std::shared_ptr<Calls> calls_;
    std::uint64_t key_ = 0;
  };
  // `call` must neither wait nor throw; it may end watches. Made at once if the signal has stopped
  // already.
  [[nodiscard]] Watch OnStop(absl::AnyInvocable<void()> call);

 private:
  bool stopped_ = false;
  std::shared_ptr<Calls> calls_;
};

}  // namespace verdant::net

#endif  // VERDANT_NET_STOP_SIGNAL_H_
