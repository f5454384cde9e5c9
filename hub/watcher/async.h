#ifndef VERDANT_HUB_WATCHER_ASYNC_H_
#define VERDANT_HUB_WATCHER_ASYNC_H_

#include <atomic>
#include <memory>
#include <utility>

#include "hub/watcher/watcher.h"

namespace verdant {

// Calls on the hub when any thread says so. Sends that come before the callback has been called are
// one. Row B8.5. For calls that each carry something, there is Hub::Post().
class AsyncWatcher final : public Watcher {
  struct Shared;

 public:
  // What other threads hold: copyable, any thread, may outlive the watcher and its hub.
  class Sender {
   public:
    // Has the watcher call, waking its hub if that sleeps; nothing happens if it is not active
    // then, or gone.
    void Send() const;

   private:
    friend class AsyncWatcher;
    Sender(const Hub::Remote& remote, std::shared_ptr<Shared> shared)
        : remote_(remote), shared_(std::move(shared)) {}
    Hub::Remote remote_;
    std::shared_ptr<Shared> shared_;
  };

  explicit AsyncWatcher(Callback callback);
  ~AsyncWatcher() override;

  Sender sender() const { return Sender(Hub::Remote(hub()), shared_); }
  // From any thread, while the watcher exists.
  void Send() const { sender_.Send(); }
  bool pending() const override;

 private:
  void Arm() override {}
  void Disarm() noexcept override;

  const std::shared_ptr<Shared> shared_;
  const Sender sender_;
};

}  // namespace verdant

#endif  // VERDANT_HUB_WATCHER_ASYNC_H_
