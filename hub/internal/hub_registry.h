#ifndef VERDANT_HUB_INTERNAL_HUB_REGISTRY_H_
#define VERDANT_HUB_INTERNAL_HUB_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "hub/internal/list.h"
#include "hub/internal/mailbox.h"
#include "hub/internal/ready_queue.h"
#include "hub/internal/task.h"

namespace verdant::internal {

// A hub as those find it who ask for all hubs of the process: a debugger, a dump. Part of the Hub.
// A debugger reads it by position, down to the line.
struct HubRecord {
  HubRecord* next = nullptr;   // by number
  std::uint64_t number = 0;    // counts up from 1, never used twice; 0: not registered
  std::int64_t thread_id = 0;  // the kernel's
  const FiberThread* thread = nullptr;
  const Fiber* hub_fiber = nullptr;
  const List<AllNode>* tasks = nullptr;
  const ReadyQueue* ready = nullptr;
  // ---- Not for debuggers. ----
  std::shared_ptr<Mailbox> mailbox;
};

// What a debugger must know of types that an optimised program does not describe: offsets in bytes,
// of members that are pointers unless said otherwise. Found by the name of verdant_debug_hubs and
// read by position; another order or meaning is another version.
struct DebugHubs {
  std::uint64_t version = 2;
  HubRecord* first = nullptr;
  std::uint64_t list_next = 0;
  // Of a Task.
  std::uint64_t task_node = 0;             // a ListNode: its place in HubRecord::tasks
  std::uint64_t task_state = 0;            // a byte: TaskCore::State
  std::uint64_t task_is_green_thread = 0;  // a byte
  std::uint64_t task_is_main = 0;          // a byte
  std::uint64_t task_fiber = 0;
  std::uint64_t task_own_fiber =
      0;  // a Fiber: has its number, its site and its name, if it was given one
  std::uint64_t task_operation = 0;  // to a string that ends with a zero
  std::uint64_t task_detail = 0;     // 32 bits, signed
  // Of a Fiber.
  std::uint64_t fiber_context = 0;    // a Context: sp, fp, pc
  std::uint64_t fiber_stack = 0;      // lowest address, then size
  std::uint64_t fiber_name = 0;       // to a string that ends with a zero
  std::uint64_t fiber_id = 0;         // 64 bits
  std::uint64_t fiber_site_file = 0;  // to a string that ends with a zero
  std::uint64_t fiber_site_line = 0;  // 32 bits
  // Of a FiberThread.
  std::uint64_t thread_current = 0;
  // What TaskCore::State counts these as; all others are parked.
  std::uint64_t state_new = 0;
  std::uint64_t state_running = 0;
  std::uint64_t state_done = 0;
};

// Enters `record`, filled in but for its number and its thread, on the hub's thread. `task` is any.
void RegisterHub(HubRecord& record, const Task& task);
// Without effect on one that is not there (any more: the hubs of a forked child's parent are not).
void UnregisterHub(HubRecord& record) noexcept;

// A hub that another thread may ask something, by a call posted to it.
struct ListedHub {
  std::uint64_t number;
  std::int64_t thread_id;
  std::shared_ptr<Mailbox> mailbox;
  bool own;  // it is the calling thread's
};
// All there are, by number. From any thread.
std::vector<ListedHub> ListHubs();

}  // namespace verdant::internal

extern "C" {
extern verdant::internal::DebugHubs verdant_debug_hubs;
}

#endif  // VERDANT_HUB_INTERNAL_HUB_REGISTRY_H_
