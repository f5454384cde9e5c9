#include "hub/internal/stack_meter.h"

#include <utility>

#include "greenlet/internal/stack_use.h"
#include "hub/internal/task.h"

namespace verdant::internal {
namespace {

class StackMeter final : public SpawnHooks {
 public:
  explicit StackMeter(std::size_t every) : every_(every) {}

  void OnSpawn(Task* task) noexcept override {
    if (++passed_ < every_) return;
    passed_ = 0;
    task->Extras().measures_stack = true;
    task->own_fiber.flags |= Fiber::kInterrupted;
  }

 private:
  const std::size_t every_;
  std::size_t passed_ = 0;
};

}  // namespace

std::shared_ptr<SpawnHooks> MakeStackMeter(std::size_t every) {
  return std::make_shared<StackMeter>(every);
}

void BeginStackMeasurement(Task& task) noexcept {
  TaskExtras& extras = *task.extras;
  if (!extras.measures_stack || extras.stack_emptied != nullptr || task.started) return;
  extras.stack_emptied = EmptyBelowHere(task.own_fiber.stack);
}

void EndStackMeasurement(Task& task) noexcept {
  const char* emptied = std::exchange(task.extras->stack_emptied, nullptr);
  if (emptied == nullptr) return;
  const Stack& stack = task.own_fiber.stack;
  NoteStackUse(task.own_fiber.site(), stack.size, UsedBytes(stack, emptied));
}

}  // namespace verdant::internal
