#ifndef VERDANT_HUB_INTERNAL_LINKS_H_
#define VERDANT_HUB_INTERNAL_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "hub/internal/home_thread.h"

namespace verdant::internal {

// The links of something that can be ready: calls to make, once each, when it is. Rows B4.4, A1.7,
// decision 6. Whoever has Link(), Unlink() and Ready() by these rules can be waited for together
// with others of the kind:
//  - They are called in the order they were linked, where the thing becomes ready, before any of
//    its waiters runs. They must not block: they wake, send, spawn.
//  - What one throws goes to the hub's error handler, and the others are called all the same.
//  - Linked to what is ready already, a call is made at once; from within a link of the same thing,
//    after those that are due. So one that links itself anew to what stays ready never ends.
//  - Unlink() is honoured up to the moment of the call, also by a link for a later one.
//  - Each is gone once called. Those never called go with the thing, which one may destroy.
//
// Costs a pointer until somebody links.
class Links {
 public:
  Links() = default;
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  ~Links() {
    if (queue_ != nullptr) queue_->Abandon();
  }

  // What Unlink() takes, or 0 if it was called at once. `of` names the thing in reports; `ready`,
  // that it is. Throws std::logic_error if `call` is empty.
  std::uint64_t Add(const char* of, bool ready, absl::AnyInvocable<void()> call);
  // True if it was still to be called.
  bool Remove(std::uint64_t id) { return queue_ != nullptr && queue_->Remove(id); }

  // Nobody ever linked.
  bool unused() const { return queue_ == nullptr; }

  // Throws std::logic_error if there are links of another thread, which this one must not call.
  void CheckThread(const char* of) const {
    if (queue_ != nullptr) [[unlikely]]
      queue_->home.Check(of);
  }

  // Calls all there are, for as long as still_ready(), a question about the owner. That may be gone
  // afterwards.
  void Notify(const char* of, absl::FunctionRef<bool()> still_ready = Always) {
    if (queue_ != nullptr) [[unlikely]]
      CallAll(of, still_ready);
  }

 private:
  struct Queue {
    std::uint64_t Append(absl::AnyInvocable<void()> call);
    bool Remove(std::uint64_t id);
    // All that are here now are due. False if they are being called already.
    bool Begin();
    bool AnyDue();
    void CallFirst(const char* of) noexcept;
    // The owner is gone.
    void Abandon() noexcept;
    void DropGaps();

    struct Link {
      std::uint64_t id;
      absl::AnyInvocable<void()> call;
    };

    HomeThread home;
    bool notifying = false;
    std::vector<Link> links;  // by ascending id; called and removed ones are empty
    std::size_t first = 0;    // those before it are empty
    std::size_t live = 0;
    std::uint64_t next_id = 1;
    std::uint64_t due = 1;  // those with lower ids are to be called
  };

  static bool Always() { return true; }
  void CallAll(const char* of, absl::FunctionRef<bool()> still_ready);

  std::shared_ptr<Queue> queue_;
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_LINKS_H_
