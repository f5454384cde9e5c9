#ifndef VERDANT_HUB_INTERNAL_TASK_H_
#define VERDANT_HUB_INTERNAL_TASK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "greenlet/internal/fiber.h"
#include "hub/internal/block_pool.h"
#include "hub/internal/list.h"
#include "hub/internal/task_extras.h"

namespace verdant {

class Hub;

namespace internal {

struct Task;

// Why a parked task runs again. An exception to be thrown in it travels apart, as an Interrupt;
// kInterrupted, that the interrupt has been taken back meanwhile, never leaves Hub::Park(), which
// parks again then.
enum class WakeReason : std::uint8_t { kNotified, kTimedOut, kClosed, kInterrupted };

// What a parked task waits for, for LoopExit's text and dumps: string literals only.
struct ParkedOn {
  const char* operation = "nothing";
  std::int32_t detail = -1;  // a file descriptor, or -1
};

// An exception on its way to a task, delivered the next time that task runs or is about to park.
// First come, first thrown. Unlinks itself when destroyed, as a Timeout that ends before its
// exception was delivered must.
class Interrupt : public ListNode {
 public:
  virtual ~Interrupt() = default;
  // Throws. The interrupt is unlinked; one that lives on the heap deletes itself.
  [[noreturn]] virtual void Raise() = 0;

  // Set up now, by the task itself, whose extras these are; null: it has none.
  void SetUpBy(const TaskExtras* extras) {
    if (extras == nullptr) return;
    shields = extras->shields;
    inline_calls = extras->inline_calls();
  }

  // How many Shields of the task do not stand in its way: those there were when it was set up.
  std::uint32_t shields = 0;
  // How many of the task's inline calls it is the own business of: the same.
  std::uint32_t inline_calls = 0;
};

// A task in the wait list of something: lives on the stack of the waiting call.
struct Waiter : ListNode {
  explicit Waiter(Task* t) : task(t) {}
  Task* task;
};
using WaitList = List<Waiter>;

// A wait that may turn out to be in vain when nothing can happen any more. Lives on the stack of
// the waiting call.
class VainWait : public ListNode {
 public:
  // Ends the wait, if it is in vain for a reason of its own.
  virtual bool GiveUp() = 0;

 protected:
  ~VainWait() = default;
};

struct AllNode : ListNode {};

// What parking and switching touch of a Task, on two lines of cache.
struct TaskCore {
  enum class State : std::uint8_t {
    kNew,
    kRunning,  // or about to, in the queue; or aside in a Greenlet's Switch()
    kDone,
    kAbandoned,  // its hub is gone, as is whoever could run it
    kParked,
    kParkedTraced,  // the same, and whoever wakes it is to be noted
  };
  bool parked() const { return state >= State::kParked; }

  explicit TaskCore(Hub* h) : hub(h) {}
  virtual ~TaskCore() = default;
  // Runs the body and keeps its result.
  virtual void Run() = 0;
  // Destroys the body if that has not happened: one killed before its start never runs it.
  virtual void DropBody() noexcept = 0;
  // Destroys the result, which nobody can ask for any more, while the task can still block in a
  // destructor of it.
  virtual void DropResult() noexcept {}
  // Ends the object and gives its memory back.
  virtual void Destroy() noexcept = 0;

  void NoteParkedOn(ParkedOn what) {
    operation = what.operation;
    detail = what.detail;
  }

  State state = State::kNew;
  WakeReason reason = WakeReason::kNotified;
  bool is_green_thread = true;
  bool is_main = false;
  bool finished = false;  // body done, result or error in place
  bool started = false;
  bool uninterrupted = false;    // parked in ParkUninterrupted()
  bool has_handles : 1 = false;  // spawned with a result somebody may wait for
  bool error_observed : 1 = false;
  bool body_dropped : 1 = false;
  List<Interrupt> interrupts;
  Hub* const hub;
  const char* operation = ParkedOn().operation;  // what it waits for, or last waited for
  std::int32_t detail = ParkedOn().detail;
  std::uint32_t refs = 0;
  Fiber* fiber = &own_fiber;
  alignas(Fiber::kLine) Fiber own_fiber;
};

// What a hub schedules: a green thread, or on demand any other fiber that parks (a thread's main, a
// plain Greenlet). Lives on the heap rather than at its stack's top, so that a green thread needs
// no stack before it first runs, gives it back the moment it ends, and leaves its result to the
// handles.
struct Task : TaskCore, AllNode {
  explicit Task(Hub* h) : TaskCore(h), spawner(fiber_thread.current->id) {}
  ~Task() override { FreeName(own_fiber.name); }

  TaskExtras& Extras() {
    if (extras == nullptr) extras = std::make_unique<TaskExtras>();
    return *extras;
  }

  // What ended it, if not a normal return.
  bool failed() const { return extras != nullptr && extras->error != nullptr; }
  std::exception_ptr error() const { return extras != nullptr ? extras->error : nullptr; }
  void Fail(std::exception_ptr error) { Extras().error = std::move(error); }

  // What it was given, if anything: own_fiber.name, with its length in front of it.
  bool named() const { return own_fiber.name != nullptr; }
  std::string_view name() const {
    if (!named()) return {};
    std::size_t size;
    std::memcpy(&size, own_fiber.name - sizeof(size), sizeof(size));
    return {own_fiber.name, size};
  }
  void SetName(std::string_view name) {
    const std::size_t size = name.size();
    auto* block = new char[sizeof(size) + size + 1]();
    std::memcpy(block, &size, sizeof(size));
    name.copy(block + sizeof(size), size);
    // Handlers of signals may read it at any time.
    FreeName(std::exchange(own_fiber.name, block + sizeof(size)));
  }

  const std::uint64_t spawner;      // its number in reports; 0: a hub callback
  const void* member_of = nullptr;  // the pool that runs it: compared, never followed
  WaitList joiners;
  std::unique_ptr<TaskExtras> extras;

 private:
  static void FreeName(const char* name) noexcept {
    if (name != nullptr) delete[](name - sizeof(std::size_t));
  }
};

// What a green thread returned, kept for its handles. For void, that it returned.
template <typename R>
struct ResultTask : Task {
  using Task::Task;
  void DropResult() noexcept override { result.reset(); }
  template <typename Body>
  void Keep(Body& body) {
    result.emplace(body());
  }
  std::optional<R> result;
};
template <typename R>
struct ResultTask<R&> : Task {
  using Task::Task;
  template <typename Body>
  void Keep(Body& body) {
    result = &body();
  }
  R* result = nullptr;
};
template <>
struct ResultTask<void> : Task {
  using Task::Task;
  template <typename Body>
  void Keep(Body& body) {
    body();
  }
};

// A task with its closure, in memory from the thread's pool of blocks. Base is a ResultTask.
template <typename Base, typename Body>
struct BodyTask final : Base {
  template <typename B>
  BodyTask(Hub* h, B&& b) : Base(h), body(std::forward<B>(b)) {}
  ~BodyTask() override {
    if (this->body_dropped) return;
    body.~Body();
    ReleaseFiberData(this->own_fiber);
  }

  template <typename B>
  static BodyTask* Make(Hub* hub, B&& b) {
    void* memory = BlockPool::Allocate(sizeof(BodyTask));
    try {
      return new (memory) BodyTask(hub, std::forward<B>(b));
    } catch (...) {
      BlockPool::Free(memory, sizeof(BodyTask));
      throw;
    }
  }
  void Run() override {
    // What the closure captured ends with the body, as a local of it would, even if somebody keeps
    // the handle.
    const End end{this};
    this->Keep(body);
  }
  void DropBody() noexcept override {
    if (this->body_dropped) return;
    this->body_dropped = true;
    body.~Body();
  }
  void Destroy() noexcept override {
    this->~BodyTask();
    BlockPool::Free(this, sizeof(BodyTask));
  }

  struct End {
    BodyTask* task;
    ~End() { task->DropBody(); }
  };
  union {
    Body body;
  };
};

}  // namespace internal
}  // namespace verdant

#endif  // VERDANT_HUB_INTERNAL_TASK_H_
