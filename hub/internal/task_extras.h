#ifndef VERDANT_HUB_INTERNAL_TASK_EXTRAS_H_
#define VERDANT_HUB_INTERNAL_TASK_EXTRAS_H_

#include <cstdint>
#include <exception>
#include <map>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "hub/internal/end_links.h"
#include "hub/internal/list.h"
#include "hub/internal/number_pool.h"

namespace verdant::internal {

struct Task;

// What the green threads of one tree of spawning share, by the key of who put it there.
struct SpawnTree {
  std::map<std::uint64_t, std::shared_ptr<void>> values;
};

// A call that is made on its caller's stack by somebody else, as far as must be known of it to tell
// what is aimed at the caller from what is the call's own.
struct InlineCall {
  InlineCall* const outer;    // within which it is made
  const std::uint32_t depth;  // how many there are, this one included
  std::exception_ptr aimed;   // what was thrown last from outside of it
};

// What few green threads need: made when first asked for.
struct TaskExtras {
  TaskExtras() = default;
  TaskExtras(const TaskExtras&) = delete;
  TaskExtras& operator=(const TaskExtras&) = delete;
  ~TaskExtras() {
    if (numbers != nullptr) numbers->Give(number);
  }

  std::exception_ptr error;  // what ended it; null: nothing did, or it returned
  EndLinks links;
  // Cancels the timer that is to start it; set from then on.
  absl::AnyInvocable<void()> stop_timer;
  bool announced = false;  // to the hub's SpawnHooks
  // It is one of those whose stack is measured; what of it was emptied ends there, null until then.
  bool measures_stack = false;
  const char* stack_emptied = nullptr;
  // How many Shield objects there are, and the Interrupts that they keep away.
  std::uint32_t shields = 0;
  List<ListNode> withheld;
  // The innermost that it is making.
  InlineCall* inline_call = nullptr;
  std::uint32_t inline_calls() const { return inline_call != nullptr ? inline_call->depth : 0; }
  // `error` is about to be thrown in it by something that was set up when there were so many inline
  // calls, and so is aimed at the callers of those begun since.
  void NoteAimed(const std::exception_ptr& error, std::uint32_t calls) {
    for (InlineCall* call = inline_call; call != nullptr && call->depth > calls;
         call = call->outer) {
      call->aimed = error;
    }
  }
  // For those who must know whether it has ended without keeping it.
  std::shared_ptr<const bool> Ended() {
    if (ended == nullptr) ended = std::make_shared<bool>(false);
    return ended;
  }
  std::shared_ptr<bool> ended;
  std::shared_ptr<SpawnTree> tree;
  // Where `number` came from and goes back to; null: it has none.
  std::shared_ptr<NumberPool> numbers;
  std::uint64_t number = 0;
};

// What wants to know of every green thread made; a hub has one while somebody does.
class SpawnHooks {
 public:
  virtual ~SpawnHooks() = default;
  // On the spawner's stack, before `task` is queued.
  virtual void OnSpawn(Task* task) noexcept = 0;
  // It is a SpawnAnnouncer.
  virtual bool announces() const { return false; }
};

}  // namespace verdant::internal

#endif  // VERDANT_HUB_INTERNAL_TASK_EXTRAS_H_
