// The bare switch, compiled into this file in one of its two variants.

#include "greenlet/internal/switch.h"

#include <unwind.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "greenlet/internal/fiber.h"
#include "greenlet/internal/stack_pool.h"
#include "gtest/gtest.h"
#include "tests/greenlet/marked_registers.h"

#if defined(VERDANT_TEST_INLINE_SWITCH) && defined(VERDANT_OUT_OF_LINE_SWITCH) && \
    !defined(VERDANT_ASAN) && !defined(VERDANT_TSAN)
#error "this was to test the inline variant"
#endif

namespace verdant::internal {
namespace {

// Puts something else in every register but the stack and frame pointers.
inline void SpoilRegisters() {
#if defined(__x86_64__)
  asm volatile(
      ".irp i, ax, bx, cx, dx, si, di, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "movq $-1, %%r\\i\n\t"
      ".endr\n\t"
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "pcmpeqd %%xmm\\i, %%xmm\\i\n\t"
      ".endr"
      :
      :
      : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
        "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#else
  asm volatile(
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
      "23, 24, 25, 26, 27, 28, 30\n\t"
      "mov x\\i, #-1\n\t"
      ".endr\n\t"
      ".irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, "
      "23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
      "movi v\\i\\().16b, #255\n\t"
      ".endr"
      :
      :
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
        "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
        "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
#endif
}

// A fiber that spoils the registers and switches back, again and again, after a first call of its
// own.
class Spoiler {
 public:
  explicit Spoiler(void (*first)(void*) = nullptr, void* argument = nullptr)
      : first_(first), argument_(argument) {
    BeginFiber(fiber_, ThreadStackPool(0).Acquire(), &Main, this);
    main_ = CurrentFiber();
  }
  Spoiler(const Spoiler&) = delete;
  Spoiler& operator=(const Spoiler&) = delete;
  ~Spoiler() { ThreadStackPool(0).Release(EndFiber(fiber_)); }

  void Visit() { SwitchFiber(*main_, fiber_); }
  std::uintptr_t first_frame() const { return first_frame_; }

 private:
  static void Main(void* transfer, void* arg) {
    auto* self = static_cast<Spoiler*>(arg);
    self->first_frame_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    FiberEntered(self->fiber_, transfer);
    if (self->first_ != nullptr) self->first_(self->argument_);
    for (;;) {
      SpoilRegisters();
      SwitchFiber(self->fiber_, *self->main_);
    }
  }

  void (*const first_)(void*);
  void* const argument_;
  std::uintptr_t first_frame_ = 0;
  Fiber fiber_;
  Fiber* main_;
};

// The same value, of which the compiler does not know where it came from.
template <typename T>
T Hidden(T value) {
  asm volatile("" : "+m"(value));
  return value;
}

TEST(Switch, WhatAFunctionPreservesForItsCallerSurvives) {
  Spoiler spoiler;
  const auto visit = [](void* s) { static_cast<Spoiler*>(s)->Visit(); };
  EXPECT_EQ(verdant_call_with_marked_registers(visit, &spoiler), 0u);
  EXPECT_EQ(verdant_call_with_marked_registers(visit, &spoiler), 0u);
}

// More of them than there are registers.
template <typename T, std::size_t... i>
bool LiveValuesSurvive(Spoiler& spoiler, std::index_sequence<i...>) {
  return [&](auto... live) {
    spoiler.Visit();
    return ((live == static_cast<T>(i + 1)) && ...);
  }(Hidden(static_cast<T>(i + 1))...);
}

TEST(Switch, WhateverIsInUseAcrossItSurvives) {
  Spoiler spoiler;
  EXPECT_TRUE(LiveValuesSurvive<long>(spoiler, std::make_index_sequence<40>()));
  EXPECT_TRUE(LiveValuesSurvive<double>(spoiler, std::make_index_sequence<40>()));
}

// Of which functions preserve one half at most.
TEST(Switch, WholeVectorsInUseAcrossItSurvive) {
  using Vector = double __attribute__((vector_size(16)));
  Spoiler spoiler;
  const auto hidden = [](double n) { return Hidden(Vector{n, -n}); };
  const auto is = [](Vector v, double n) { return v[0] == n && v[1] == -n; };
  const auto survive = [&]<std::size_t... i>(std::index_sequence<i...>) {
    return [&](auto... live) {
      spoiler.Visit();
      return (is(live, i) && ...);
    }(hidden(i)...);
  };
  EXPECT_TRUE(survive(std::make_index_sequence<40>()));
}

TEST(Switch, AFiberBeginsOnAnAlignedStack) {
  Spoiler spoiler;
  spoiler.Visit();
  EXPECT_EQ(spoiler.first_frame() % 16, 0u);
}

struct Unwinding {
  _Unwind_Reason_Code end = _URC_NO_REASON;
  std::vector<std::uintptr_t> addresses;
};

void Unwind(void* arg) {
  auto* unwinding = static_cast<Unwinding*>(arg);
  unwinding->end = _Unwind_Backtrace(
      [](_Unwind_Context* context, void* u) {
        const std::uintptr_t address = _Unwind_GetIP(context);
        if (address != 0) static_cast<Unwinding*>(u)->addresses.push_back(address);
        return _URC_NO_REASON;
      },
      unwinding);
}

TEST(Switch, UnwindingEndsAtAFibersFirstFrame) {
  Unwinding unwinding;
  Spoiler spoiler(&Unwind, &unwinding);
  spoiler.Visit();
  EXPECT_EQ(unwinding.end, _URC_END_OF_STACK);
  ASSERT_GE(unwinding.addresses.size(), 3u);  // Unwind, Main, entry
  ASSERT_LE(unwinding.addresses.size(), 6u);
  const auto entry = reinterpret_cast<std::uintptr_t>(&verdant_fiber_entry);
  EXPECT_GT(unwinding.addresses.back(), entry);
  EXPECT_LT(unwinding.addresses.back(), entry + 64);
}

}  // namespace
}  // namespace verdant::internal
