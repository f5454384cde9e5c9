#include "greenlet/internal/fiber.h"

#include <cxxabi.h>
#include <pthread.h>
#include <unistd.h>

namespace verdant::internal {
namespace {

struct alignas(Fiber::kLine) MainFiber : Fiber {
  ~MainFiber() {
    if (fiber_thread.unwind_dropped != nullptr) fiber_thread.unwind_dropped();
    ReleaseFiberData(*this);
    ForgetGreenlet(*this);
#if defined(VERDANT_ASAN)
    // The first thread's stays mapped, and the leak checker comes after this.
    if (gettid() != getpid()) __lsan_unregister_root_region(stack_bottom, stack_size);
#endif
  }
};
thread_local MainFiber main_fiber;

}  // namespace

constinit thread_local FiberThread fiber_thread;

#if defined(__x86_64__)
// mxcsr keeps them beside its settings; they are results, and stay with the thread.
constexpr std::uint32_t kExceptionFlags = 0x3f;
#endif

FpControl ReadFpControl() {
  FpControl control;
#if defined(__x86_64__)
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control.vector), "=m"(control.x87));
  control.vector &= ~kExceptionFlags;
#else
  unsigned long fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  control.vector = static_cast<std::uint32_t>(fpcr);
#endif
  return control;
}

void WriteFpControl(FpControl control) {
#if defined(__x86_64__)
  std::uint32_t present;
  asm volatile("stmxcsr %0" : "=m"(present));
  control.vector |= present & kExceptionFlags;
  asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(control.vector), "m"(control.x87));
#else
  asm volatile("msr fpcr, %0" : : "r"(static_cast<unsigned long>(control.vector)));
#endif
}

void InitFiberThreadSlow() {
  fiber_thread.exceptions = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  // Made first, so that it goes after the main fiber, at whose end greenlets are unwound yet.
  ThreadStackPool(0);
  fiber_thread.current = fiber_thread.main = &main_fiber;
  main_fiber.name = "main";
#if defined(VERDANT_ASAN)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* bottom = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &bottom, &size);
    pthread_attr_destroy(&attributes);
    main_fiber.stack_bottom = bottom;
    main_fiber.stack_size = size;
    // For a process that exits from another fiber, whose stack the leak checker then takes for the
    // thread's.
    __lsan_register_root_region(bottom, size);
  }
#endif
#if defined(VERDANT_TSAN)
  main_fiber.tsan = __tsan_get_current_fiber();
#endif
}

void BeginFiber(Fiber& fiber, Stack stack, void (*fn)(void* transfer, void* arg), void* arg) {
  CurrentFiber();
  fiber.stack = stack;
  *stack.owner_slot() = &fiber;
  fiber.context = PrepareStack(stack.top(), fn, arg);
#if defined(VERDANT_ASAN)
  fiber.fake_stack = nullptr;
  fiber.stack_bottom = stack.base;
  fiber.stack_size = stack.size;
#endif
#if defined(VERDANT_TSAN)
  fiber.tsan = __tsan_create_fiber(0);
#endif
#if defined(VERDANT_VALGRIND)
  fiber.valgrind_id = VALGRIND_STACK_REGISTER(stack.base, stack.limit());
#endif
}

void MoveStack(Fiber& from, Fiber& to) {
  to.context = from.context;
  to.stack = from.stack;
  from.stack = {};
  *to.stack.owner_slot() = &to;
#if defined(VERDANT_ASAN)
  to.stack_bottom = from.stack_bottom;
  to.stack_size = from.stack_size;
#endif
#if defined(VERDANT_TSAN)
  to.tsan = from.tsan;
#endif
#if defined(VERDANT_VALGRIND)
  to.valgrind_id = from.valgrind_id;
#endif
}

Stack EndFiber(Fiber& fiber) noexcept {
  Stack stack = fiber.stack;
  fiber.stack = {};
  *stack.owner_slot() = nullptr;
#if defined(VERDANT_TSAN)
  __tsan_destroy_fiber(fiber.tsan);
  fiber.tsan = nullptr;
#endif
#if defined(VERDANT_VALGRIND)
  VALGRIND_STACK_DEREGISTER(fiber.valgrind_id);
#endif
  return stack;
}

void LeaveSpecialState(Fiber& from, Fiber& to) {
  ExceptionState& live = *fiber_thread.exceptions;
  from.caught = live.caught;
  from.uncaught = live.uncaught;
  from.flags &= static_cast<std::uint16_t>(~Fiber::kHasExceptions);
  if (live.caught != nullptr || live.uncaught != 0) from.flags |= Fiber::kHasExceptions;
  live = (to.flags & Fiber::kHasExceptions) != 0 ? ExceptionState{to.caught, to.uncaught}
                                                 : ExceptionState{};

  if (((from.flags | to.flags) & Fiber::kKeepsFpControl) == 0) return;
  const FpControl present = ReadFpControl();
  if ((from.flags & Fiber::kKeepsFpControl) != 0) {
    from.fp_vector = present.vector;
    from.fp_x87 = present.x87;
  } else {
    fiber_thread.fp = present;
  }
  WriteFpControl((to.flags & Fiber::kKeepsFpControl) != 0 ? FpControl{to.fp_vector, to.fp_x87}
                                                          : fiber_thread.fp);
}

}  // namespace verdant::internal
