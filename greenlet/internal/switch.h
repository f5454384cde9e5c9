#ifndef VERDANT_GREENLET_INTERNAL_SWITCH_H_
#define VERDANT_GREENLET_INTERNAL_SWITCH_H_

#include "greenlet/internal/sanitizer.h"

// The bare switch between two stacks: registers only. Everything that belongs to a fiber besides
// its registers (exception state, floating-point control words, sanitizer bookkeeping) is fiber.h's
// business.
//
// What is suspended is a Context. Two variants leave and take the same, so that either can resume
// what the other suspended; chosen per call site at compile time. Inline (optimised builds): stores
// stack pointer, frame pointer and resume address in the Context and tells the compiler that every
// other register is lost, so that only what is live is spilled, by the compiler, where it is
// cheapest; touches no stack, hence no red zone either. Out of line (sanitizers, -O0, or
// VERDANT_OUT_OF_LINE_SWITCH): pushes all callee-saved registers first, with complete CFI.

namespace verdant::internal {

// Where a suspended stack goes on; known to switch.S by its offsets, and to debugger scripts by its
// names.
struct Context {
  void* sp = nullptr;
  void* fp = nullptr;
  void* pc = nullptr;
};

}  // namespace verdant::internal

extern "C" {
// Suspends the running stack in *from, resumes *to, and returns, once resumed, what the resumer
// passed as `transfer`.
void* verdant_switch(void* transfer, verdant::internal::Context* from,
                     const verdant::internal::Context* to);
// First code address of a prepared stack; never called.
void verdant_fiber_entry();
}

#if !defined(VERDANT_OUT_OF_LINE_SWITCH) && \
    (!defined(__OPTIMIZE__) || defined(VERDANT_ASAN) || defined(VERDANT_TSAN))
#define VERDANT_OUT_OF_LINE_SWITCH 1
#endif

namespace verdant::internal {

// For functions that switch and are worth inlining into any caller. clang keeps a register that the
// switch loses for itself in functions with both over-aligned and variable-sized locals, so there
// the switch stays in functions known to have neither.
#if defined(__clang__)
#define VERDANT_INLINE_SWITCHING [[gnu::noinline]]
#else
#define VERDANT_INLINE_SWITCHING [[gnu::always_inline]]
#endif

#if defined(VERDANT_OUT_OF_LINE_SWITCH)

inline void* SwitchStacks(void* transfer, Context* from, const Context* to) {
  return verdant_switch(transfer, from, to);
}

#elif defined(__x86_64__)

#if defined(__CET__) && (__CET__ & 1)
#define VERDANT_ENDBR "endbr64\n\t"
#else
#define VERDANT_ENDBR ""
#endif

[[gnu::always_inline]] inline void* SwitchStacks(void* transfer, Context* from, const Context* to) {
  // The frame address as an operand makes the compiler keep a frame pointer in the caller, so that
  // it addresses its locals and unwinds by what is restored here; every operand is also an output,
  // because nothing survives in a register. The indirect jump, unlike ret, leaves the
  // return-address predictor alone.
  void* frame = __builtin_frame_address(0);
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, (%%rsi)\n\t"
      "movq %%rbp, 8(%%rsi)\n\t"
      "movq %%rax, 16(%%rsi)\n\t"
      "movq (%%rdx), %%rsp\n\t"
      "movq 8(%%rdx), %%rbp\n\t"
      "jmpq *16(%%rdx)\n\t"
      ".p2align 4\n"
      "1:\n\t" VERDANT_ENDBR
      : "+D"(transfer), "+S"(from), "+d"(to), "+c"(frame)
      :
      : "rax", "rbx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
        "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
#if defined(__AVX512F__)
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",
        "k7",
#endif
        "memory", "cc");
  return transfer;
}

#elif defined(__aarch64__)

[[gnu::always_inline]] inline void* SwitchStacks(void* transfer, Context* from, const Context* to) {
  register void* x0 asm("x0") = transfer;
  register Context* x1 asm("x1") = from;
  register const Context* x2 asm("x2") = to;
  register void* x3 asm("x3") = __builtin_frame_address(0);
  asm volatile(
      "adr x9, 1f\n\t"
      "mov x10, sp\n\t"
      "stp x10, x29, [x1]\n\t"
      "str x9, [x1, #16]\n\t"
      "ldp x10, x29, [x2]\n\t"
      "ldr x9, [x2, #16]\n\t"
      "mov sp, x10\n\t"
      "br x9\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "hint #36\n\t"  // bti j
      : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
      :
      : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
        "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0",
        "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",
        "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
        "v28", "v29", "v30", "v31",
#if defined(__ARM_FEATURE_SVE)
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",
        "p14", "p15",
#if !defined(__clang__)  // which has no name for it
        "ffr",
#endif
#endif
        "memory", "cc");
  return x0;
}

#endif

// Lays out a stack that ends (exclusively) at `top` so that the first switch to the returned
// context calls fn(transfer, arg). `fn` must not return.
inline Context PrepareStack(char* top, void (*fn)(void* transfer, void* arg), void* arg) {
  // fn and arg at the very end, which leaves sp 16-byte aligned both here and, once they are
  // popped, at the call.
  auto end = reinterpret_cast<void**>(reinterpret_cast<unsigned long>(top) & ~15ul);
  void** sp = end - 2;
  sp[0] = reinterpret_cast<void*>(fn);
  sp[1] = arg;
  return {sp, nullptr, reinterpret_cast<void*>(&verdant_fiber_entry)};
}

}  // namespace verdant::internal

#endif  // VERDANT_GREENLET_INTERNAL_SWITCH_H_
