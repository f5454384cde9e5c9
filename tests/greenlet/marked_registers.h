#ifndef VERDANT_TESTS_GREENLET_MARKED_REGISTERS_H_
#define VERDANT_TESTS_GREENLET_MARKED_REGISTERS_H_

extern "C" {
// Calls fn(arg) with a value of its own in each register that a function must preserve (x86-64:
// rbx, rbp, r12 to r15; aarch64: x19 to x29, d8 to d15), and returns a bit, in this order, for each
// that came back with another.
unsigned long verdant_call_with_marked_registers(void (*fn)(void*), void* arg);
}

#endif  // VERDANT_TESTS_GREENLET_MARKED_REGISTERS_H_
