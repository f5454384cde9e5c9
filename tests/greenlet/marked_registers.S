// See marked_registers.h.

        .text
        .globl  verdant_call_with_marked_registers
        .p2align 4

#if defined(__x86_64__)

        .type   verdant_call_with_marked_registers, @function

.macro  save register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
.endm
.macro  restore register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
.endm
.macro  mark register, number
        movabsq $(0x0101010101010101 * (\number + 1)), %\register
.endm
.macro  check register, number
        movabsq $(0x0101010101010101 * (\number + 1)), %rcx
        cmpq    %rcx, %\register
        setne   %cl
        movzbl  %cl, %ecx
        shlq    $\number, %rcx
        orq     %rcx, %rax
.endm

verdant_call_with_marked_registers:
        .cfi_startproc
#if defined(__CET__)
        endbr64
#endif
        save    rbp
        save    rbx
        save    r12
        save    r13
        save    r14
        save    r15
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        movq    %rdi, %rax
        movq    %rsi, %rdi
        mark    rbx, 0
        mark    rbp, 1
        mark    r12, 2
        mark    r13, 3
        mark    r14, 4
        mark    r15, 5
        call    *%rax
        xorl    %eax, %eax
        check   rbx, 0
        check   rbp, 1
        check   r12, 2
        check   r13, 3
        check   r14, 4
        check   r15, 5
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        restore r15
        restore r14
        restore r13
        restore r12
        restore rbx
        restore rbp
        ret
        .cfi_endproc

#elif defined(__aarch64__)

        .type   verdant_call_with_marked_registers, %function

.macro  save first, second, offset
        stp     \first, \second, [sp, #\offset]
        .cfi_rel_offset \first, \offset
        .cfi_rel_offset \second, \offset + 8
.endm
.macro  restore first, second, offset
        ldp     \first, \second, [sp, #\offset]
        .cfi_restore \first
        .cfi_restore \second
.endm
.macro  mark register, number
        ldr     x9, =(0x0101010101010101 * (\number + 1))
        fmov    \register, x9
.endm
.macro  mark_x register, number
        ldr     \register, =(0x0101010101010101 * (\number + 1))
.endm
.macro  check_x register, number
        ldr     x9, =(0x0101010101010101 * (\number + 1))
        cmp     \register, x9
        cset    x10, ne
        orr     x0, x0, x10, lsl #\number
.endm
.macro  check register, number
        fmov    x11, \register
        check_x x11, \number
.endm

verdant_call_with_marked_registers:
        .cfi_startproc
        hint    #34  // bti c
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        save    x29, x30, 0
        save    x19, x20, 16
        save    x21, x22, 32
        save    x23, x24, 48
        save    x25, x26, 64
        save    x27, x28, 80
        save    d8, d9, 96
        save    d10, d11, 112
        save    d12, d13, 128
        save    d14, d15, 144
        mov     x10, x0
        mov     x0, x1
        mark_x  x19, 0
        mark_x  x20, 1
        mark_x  x21, 2
        mark_x  x22, 3
        mark_x  x23, 4
        mark_x  x24, 5
        mark_x  x25, 6
        mark_x  x26, 7
        mark_x  x27, 8
        mark_x  x28, 9
        mark_x  x29, 10
        mark    d8, 11
        mark    d9, 12
        mark    d10, 13
        mark    d11, 14
        mark    d12, 15
        mark    d13, 16
        mark    d14, 17
        mark    d15, 18
        blr     x10
        mov     x0, xzr
        check_x x19, 0
        check_x x20, 1
        check_x x21, 2
        check_x x22, 3
        check_x x23, 4
        check_x x24, 5
        check_x x25, 6
        check_x x26, 7
        check_x x27, 8
        check_x x28, 9
        check_x x29, 10
        check   d8, 11
        check   d9, 12
        check   d10, 13
        check   d11, 14
        check   d12, 15
        check   d13, 16
        check   d14, 17
        check   d15, 18
        restore d14, d15, 144
        restore d12, d13, 128
        restore d10, d11, 112
        restore d8, d9, 96
        restore x27, x28, 80
        restore x25, x26, 64
        restore x23, x24, 48
        restore x21, x22, 32
        restore x19, x20, 16
        restore x29, x30, 0
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        ret
        .cfi_endproc
        .ltorg

#endif

        .size   verdant_call_with_marked_registers, . - verdant_call_with_marked_registers
        .section .note.GNU-stack, "", %progbits
