#include "hub/internal/hub_registry.h"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <type_traits>

extern "C" {
// Also of a program that hides its symbols.
[[gnu::used, gnu::visibility("default")]] constinit verdant::internal::DebugHubs verdant_debug_hubs;
}

namespace verdant::internal {
namespace {

constinit std::mutex mutex;
constinit std::uint64_t last_number = 0;  // guarded by mutex

// Read by position as well: what their private members are is said in
// tools/gdb/verdant_gdb/model.py.
static_assert(sizeof(ReadyQueue) == 32);
static_assert(std::is_standard_layout_v<Context> && sizeof(Context) == 24);

// Measured rather than offsetof, which knows only plain structs.
template <typename Object, typename Member>
std::uint64_t Offset(const Object& object, const Member& member) {
  return static_cast<std::uint64_t>(reinterpret_cast<const char*>(&member) -
                                    reinterpret_cast<const char*>(&object));
}

void Describe(DebugHubs& hubs, const Task& task) {
  hubs.list_next = ListNode::NextOffset();
  hubs.task_node = Offset(task, static_cast<const AllNode&>(task));
  hubs.task_state = Offset(task, task.state);
  hubs.task_is_green_thread = Offset(task, task.is_green_thread);
  hubs.task_is_main = Offset(task, task.is_main);
  hubs.task_fiber = Offset(task, task.fiber);
  hubs.task_own_fiber = Offset(task, task.own_fiber);
  hubs.task_operation = Offset(task, task.operation);
  hubs.task_detail = Offset(task, task.detail);
  const Fiber& fiber = task.own_fiber;
  hubs.fiber_context = Offset(fiber, fiber.context);
  hubs.fiber_stack = Offset(fiber, fiber.stack);
  hubs.fiber_name = Offset(fiber, fiber.name);
  hubs.fiber_id = Offset(fiber, fiber.id);
  hubs.fiber_site_file = Offset(fiber, fiber.site_file);
  hubs.fiber_site_line = Offset(fiber, fiber.site_line);
  hubs.thread_current = Offset(fiber_thread, fiber_thread.current);
  hubs.state_new = static_cast<std::uint64_t>(Task::State::kNew);
  hubs.state_running = static_cast<std::uint64_t>(Task::State::kRunning);
  hubs.state_done = static_cast<std::uint64_t>(Task::State::kDone);
}

// No other thread of the parent exists in the child, and this one's hub is not the child's.
void ForgetInForkedChild() {
  for (HubRecord* record = verdant_debug_hubs.first; record != nullptr; record = record->next) {
    record->number = 0;
  }
  verdant_debug_hubs.first = nullptr;
  mutex.unlock();
}

}  // namespace

void RegisterHub(HubRecord& record, const Task& task) {
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, &ForgetInForkedChild);
  });
  const std::lock_guard<std::mutex> lock(mutex);
  if (verdant_debug_hubs.list_next == 0) Describe(verdant_debug_hubs, task);
  record.thread_id = gettid();
  record.thread = &fiber_thread;
  record.number = ++last_number;
  HubRecord** end = &verdant_debug_hubs.first;
  while (*end != nullptr) end = &(*end)->next;
  *end = &record;
}

void UnregisterHub(HubRecord& record) noexcept {
  const std::lock_guard<std::mutex> lock(mutex);
  if (record.number == 0) return;
  HubRecord** place = &verdant_debug_hubs.first;
  while (*place != &record) place = &(*place)->next;
  *place = record.next;
  record.number = 0;
}

std::vector<ListedHub> ListHubs() {
  std::vector<ListedHub> hubs;
  const std::lock_guard<std::mutex> lock(mutex);
  for (const HubRecord* hub = verdant_debug_hubs.first; hub != nullptr; hub = hub->next) {
    hubs.push_back({hub->number, hub->thread_id, hub->mailbox, hub->thread == &fiber_thread});
  }
  return hubs;
}

}  // namespace verdant::internal
