#ifndef VERDANT_GREENLET_INTERNAL_FIBER_H_
#define VERDANT_GREENLET_INTERNAL_FIBER_H_

#include <cstddef>
#include <cstdint>
#include <exception>

#include "greenlet/internal/sanitizer.h"
#include "greenlet/internal/stack_pool.h"
#include "greenlet/internal/switch.h"
#include "greenlet/source_location.h"

namespace verdant::internal {

struct GreenletState;
struct LocalTable;
struct ThreadRecord;
struct VariableMap;

// Mirrors __cxa_eh_globals of the Itanium C++ ABI: what is being caught, and how many throws are
// under way.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

struct FpControl {
  std::uint32_t vector = 0;  // mxcsr; fpcr on aarch64
  std::uint16_t x87 = 0;
};
FpControl ReadFpControl();
void WriteFpControl(FpControl control);

// Run on the far side of a switch, before the resumed fiber goes on: the way to release what the
// departing fiber still stood on (its stack, a lock) without a window in which both sides own it.
struct SwitchClosure {
  void (*run)(SwitchClosure*) noexcept = nullptr;
};

// What runs on a stack: the main fiber of a thread on the thread's own, any other on a pool's. What
// every switch touches comes first: on one line of cache if the fiber lies at the beginning of one,
// as it should (kLine).
struct Fiber {
  static constexpr std::size_t kLine = 64;

  enum Flag : std::uint16_t {
    kHasExceptions = 1,   // `caught` and `uncaught` are to be put back at the next switch here
    kKeepsFpControl = 2,  // the fp_ members are this fiber's own, not the thread's
    // For whoever schedules fibers, without a meaning here.
    kUnstarted = 4,
    kInterrupted = 8,
    kIgnoresBlocking = 16,  // it is not to be reported for keeping its thread busy
  };

  // Where it was made, for reports.
  SourceLocation site() const { return SourceLocation::current(site_file, site_line); }
  void SetSite(SourceLocation site) {
    site_file = site.file_name();
    site_line = site.line();
  }

  Context context;
  std::uint16_t flags = 0;
  // Of a struct each; apart so that there are no gaps between them.
  std::uint16_t fp_x87 = 0;
  std::uint32_t fp_vector = 0;
  std::uint32_t uncaught = 0;
  std::uint32_t site_line = 0;
  void* scheduled = nullptr;  // for whoever schedules fibers: the hub's task
  Stack stack;                // empty for a thread's main fiber and for a fiber not begun
  void* caught = nullptr;
  GreenletState* greenlet = nullptr;  // for whoever names them: the public handle
  // What an overflow report prints: a name, which must outlive the fiber, or failing that a number
  // that is not 0.
  const char* name = nullptr;
  std::uint64_t id = 0;
  const char* site_file = "";
  LocalTable* locals = nullptr;      // of GreenLocal; null until the first is touched
  VariableMap* variables = nullptr;  // of ContextVar; null while none is set
#if defined(VERDANT_ASAN)
  void* fake_stack = nullptr;
  const void* stack_bottom = nullptr;
  std::size_t stack_size = 0;
#endif
#if defined(VERDANT_TSAN)
  void* tsan = nullptr;
#endif
#if defined(VERDANT_VALGRIND)
  unsigned valgrind_id = 0;
#endif
};

// The thread's share of the machinery. Constant-initialised, so that reaching it is one
// instruction.
struct FiberThread {
  Fiber* current = nullptr;
  Fiber* main = nullptr;
  ThreadRecord* record = nullptr;        // what owns its greenlets; null until it has one
  ExceptionState* exceptions = nullptr;  // the C++ runtime's, for this thread
  // Control words of the fibers that keep none of their own, while one that does runs.
  FpControl fp;
  // Set by the hub. Where a greenlet goes that ends when nobody is left to switch back to: runs
  // `then` on the far side. Takes `error`, whose owner's stack is never unwound.
  void (*orphan_exit)(Fiber* ending, SwitchClosure* then, std::exception_ptr& error) = nullptr;
  // Ends what is in Fiber::scheduled; called by a greenlet at its end, on its own stack.
  void (*release_scheduled)(Fiber* ending) = nullptr;
  // Set by the hub, for one that stands in Greenlet::Switch() and is queued to be interrupted
  // there: takes it out of the queue again; throws in the running fiber what is aimed at it, if
  // anything; lets others run until somebody switches back.
  void (*leave_queue)(Fiber& fiber) noexcept = nullptr;
  void (*raise_interrupts)(Fiber& self) = nullptr;
  void (*stand_aside)(Fiber& self) noexcept = nullptr;
  // Set by the hub. Who hears of an exception that nobody can catch.
  void (*report_uncaught)(const char* context, const std::exception_ptr& error) = nullptr;
  // Set with `record`: what Greenlet does when a fiber, and when the thread's main fiber, ends.
  void (*forget_greenlet)(Fiber& fiber) noexcept = nullptr;
  void (*unwind_dropped)() noexcept = nullptr;
  bool traced = false;  // SetTrace() is in force
};
extern constinit thread_local FiberThread fiber_thread;

// Makes the calling code a thread's main fiber; called before any other use of fibers on the
// thread, cheap when repeated.
void InitFiberThreadSlow();
inline Fiber* CurrentFiber() {
  if (fiber_thread.current == nullptr) [[unlikely]]
    InitFiberThreadSlow();
  return fiber_thread.current;
}

// Gives `fiber` a stack on which the first switch calls fn(transfer, arg). `fn` starts with
// FiberEntered(transfer) and ends with a switch that does not come back.
void BeginFiber(Fiber& fiber, Stack stack, void (*fn)(void* transfer, void* arg), void* arg);
// Makes the stack of `from`, and where it is suspended if it is, that of `to`, which has none.
void MoveStack(Fiber& from, Fiber& to);
// Lets `next`, which has not begun, go on where `ended`, which runs but has nothing left to do,
// stands now.
inline void HandOverStack(Fiber& ended, Fiber& next) {
  MoveStack(ended, next);
  fiber_thread.current = &next;
}
// Detaches the stack of a fiber that never runs again.
Stack EndFiber(Fiber& fiber) noexcept;

// Whether the fiber is suspended in Greenlet::Switch().
bool IsInSwitch(const Fiber& fiber) noexcept;
// Throws `error` in such a one when the caller next switches to it; false if it is none.
bool RaiseInSwitch(Fiber& fiber, std::exception_ptr error) noexcept;
// Has such a one look for what is aimed at it when the caller next switches to it; until then
// others may go on switching to it. False if it is none, if that was done already, or if it must
// not be interrupted.
bool InterruptSwitch(Fiber& fiber) noexcept;

// Ends what Greenlet::Current() handed out for a fiber that is not itself a Greenlet; called by its
// owner when it ends.
inline void ForgetGreenlet(Fiber& fiber) noexcept {
  if (fiber.greenlet != nullptr) [[unlikely]]
    fiber_thread.forget_greenlet(fiber);
}

// Whether handles dropped on other threads have left greenlets of this one to be unwound, and the
// unwinding of them, which may run anything.
bool HasDroppedGreenlets() noexcept;
void UnwindDroppedGreenlets() noexcept;

// A fiber starts with the variables of the one that makes it (decision 20).
void ShareVariables(VariableMap* variables, Fiber& to) noexcept;
inline void InheritVariables(Fiber& to) noexcept {
  if (VariableMap* variables = fiber_thread.current->variables; variables != nullptr) [[unlikely]]
    ShareVariables(variables, to);
}

// Destroys the fiber's locals, then lets go of its variables; for when it ends, on its own stack if
// it has run.
void ReleaseFiberDataSlow(Fiber& fiber) noexcept;
inline void ReleaseFiberData(Fiber& fiber) noexcept {
  if ((reinterpret_cast<std::uintptr_t>(fiber.locals) |
       reinterpret_cast<std::uintptr_t>(fiber.variables)) != 0) [[unlikely]] {
    ReleaseFiberDataSlow(fiber);
  }
}

void LeaveSpecialState(Fiber& from, Fiber& to);

[[gnu::always_inline]] inline void FinishSwitch(Fiber& self, void* transfer) {
#if defined(VERDANT_ASAN)
  __sanitizer_finish_switch_fiber(self.fake_stack, nullptr, nullptr);
#else
  (void)self;
#endif
  if (transfer != nullptr) [[unlikely]] {
    auto* closure = static_cast<SwitchClosure*>(transfer);
    closure->run(closure);
  }
}

inline void FiberEntered(Fiber& self, void* transfer) { FinishSwitch(self, transfer); }

// Switches from the running fiber `from` to `to`, running `then` over there first; returns when
// something switches back. `final`: it never does.
[[gnu::always_inline]] inline void SwitchFiber(Fiber& from, Fiber& to,
                                               SwitchClosure* then = nullptr,
                                               [[maybe_unused]] bool final = false) {
  const ExceptionState& live = *fiber_thread.exceptions;
  if ((reinterpret_cast<std::uintptr_t>(live.caught) | live.uncaught | from.flags | to.flags) != 0)
      [[unlikely]] {
    LeaveSpecialState(from, to);
  }
  fiber_thread.current = &to;
#if defined(VERDANT_ASAN)
  __sanitizer_start_switch_fiber(final ? nullptr : &from.fake_stack, to.stack_bottom,
                                 to.stack_size);
#endif
#if defined(VERDANT_TSAN)
  __tsan_switch_to_fiber(to.tsan, 0);
#endif
  void* transfer = SwitchStacks(then, &from.context, &to.context);
  FinishSwitch(from, transfer);
}

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_FIBER_H_
