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
  // Where what is thrown in it from outside is noted, by whoever must tell that from what is thrown
  // of its own accord; null: nobody.
  std::exception_ptr* aimed = nullptr;
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
