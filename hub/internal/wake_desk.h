#ifndef VERDANT_HUB_INTERNAL_WAKE_DESK_H_
#define VERDANT_HUB_INTERNAL_WAKE_DESK_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "hub/hub.h"
#include "hub/internal/list.h"

namespace verdant::internal {

// Something on the stack of a green thread that other threads know of, and that has to be taken
// from them should its hub end first: what is suspended then is never unwound.
class DeskResident : public ListNode {
 public:
  virtual ~DeskResident() = default;
  // On the hub's thread, with the hub about to go.
  virtual void OnHubGone() noexcept = 0;
};

// A green thread to be woken by other threads.
struct DeskCall : ListNode {
  Task* task = nullptr;
  bool made = false;  // it has been woken; the hub's alone
};

// Where other threads leave word of which green threads of a hub are to wake. However many do
// before the hub looks, it is one Post() in all, and no syscall while the hub runs.
class WakeDesk : public std::enable_shared_from_this<WakeDesk> {
 public:
  // Of the calling thread's hub. Throws std::logic_error once that is about to go.
  static WakeDesk& Current();

  explicit WakeDesk(Hub& hub) : hub_(&hub), remote_(hub) {}
  WakeDesk(const WakeDesk&) = delete;
  WakeDesk& operator=(const WakeDesk&) = delete;

  // ---- On the hub's thread. ----
  void Enter(DeskResident& resident) { residents_.PushBack(&resident); }
  // While somebody waits for other threads, the hub does not believe that nothing can happen.
  void BeginWait() {
    if (waiting_++ == 0) keepalive_.emplace(*hub_);
  }
  void EndWait() {
    if (--waiting_ == 0) keepalive_.reset();
  }
  // Takes back what may have been added and has not been made.
  void Forget(DeskCall& call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    call.Unlink();
  }
  void HubGone() noexcept;

  // ---- On any thread. ----
  // Has the call made soon; true if the caller must Post() once it holds no lock any more.
  bool Add(DeskCall& call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.PushBack(&call);
    return !std::exchange(posted_, true);
  }
  void Post();

  // To be used on its thread, compared on others.
  Hub* hub() const { return hub_; }
  const Hub::Remote& remote() const { return remote_; }

 private:
  friend class WakeUps;
  void MakeCalls() noexcept;

  Hub* hub_;
  const Hub::Remote remote_;
  std::mutex mutex_;
  List<DeskCall> calls_;            // guarded by mutex_
  bool posted_ = false;             // guarded by mutex_
  std::shared_ptr<WakeDesk> next_;  // in a WakeUps
  // The hub's alone.
  List<DeskResident> residents_;
  std::size_t waiting_ = 0;
  std::optional<Hub::Keepalive> keepalive_;
};

// Desks to post to when the locks have been let go: made before them, destroyed after.
class WakeUps {
 public:
  WakeUps() = default;
  WakeUps(const WakeUps&) = delete;
  WakeUps& operator=(const WakeUps&) = delete;
  ~WakeUps() {
    while (first_ != nullptr) {
      const std::shared_ptr<WakeDesk> desk = std::move(first_);
      first_ = std::move(desk->next_);
      desk->Post();
    }
  }
  // A desk whose Add() said so. It is told so again only when it has been posted to.
  void Add(WakeDesk& desk) {
    (first_ != nullptr ? last_->next_ : first_) = desk.shared_from_this();
    last_ = &desk;
  }

 private:
  std::shared_ptr<WakeDesk> first_;
  WakeDesk* last_ = nullptr;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_WAKE_DESK_H_
