// The out-of-line context switch and the first frame of every fiber, with complete unwind information. A Context (switch.h)
// holds sp, fp and pc in this order.

#if defined(__CET__)
#include <cet.h>
#else
#define _CET_ENDBR
#endif

        .text

#if defined(__x86_64__)

// void* verdant_switch(void* transfer /*rdi*/, Context* from /*rsi*/, const Context* to /*rdx*/)
        .globl  verdant_switch
        .hidden verdant_switch
        .type   verdant_switch, @function
        .p2align 4
verdant_switch:
        .cfi_startproc
        _CET_ENDBR
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        leaq    .Lresume(%rip), %rax
        movq    %rsp, (%rsi)
        movq    %rbp, 8(%rsi)
        movq    %rax, 16(%rsi)
        movq    (%rdx), %rsp
        movq    8(%rdx), %rbp
        jmp     *16(%rdx)
        .p2align 4
.Lresume:
        _CET_ENDBR
        movq    %rdi, %rax
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        // Not ret: the return-address predictor knows of another stack's call.
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        jmp     *%rcx
        .cfi_endproc
        .size   verdant_switch, . - verdant_switch

// The frame below a fiber's first function: calls fn(transfer, arg), both taken from the prepared stack. The undefined
// return address is what makes every unwinder, gdb's and the exception runtime's, stop here.
        .globl  verdant_fiber_entry
        .hidden verdant_fiber_entry
        .type   verdant_fiber_entry, @function
        .p2align 4
verdant_fiber_entry:
        .cfi_startproc
        .cfi_undefined rip
        .cfi_def_cfa rsp, 16
        _CET_ENDBR
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        xorl    %ebp, %ebp
        call    *%rax
        ud2
        .cfi_endproc
        .size   verdant_fiber_entry, . - verdant_fiber_entry

#elif defined(__aarch64__)

// void* verdant_switch(void* transfer /*x0*/, Context* from /*x1*/, const Context* to /*x2*/)
        .globl  verdant_switch
        .hidden verdant_switch
        .type   verdant_switch, %function
        .p2align 4
verdant_switch:
        .cfi_startproc
        hint    #34  // bti c
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        stp     x29, x30, [sp]
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        stp     x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp     x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp     x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp     x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp     x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp     d8, d9, [sp, #96]
        .cfi_rel_offset d8, 96
        .cfi_rel_offset d9, 104
        stp     d10, d11, [sp, #112]
        .cfi_rel_offset d10, 112
        .cfi_rel_offset d11, 120
        stp     d12, d13, [sp, #128]
        .cfi_rel_offset d12, 128
        .cfi_rel_offset d13, 136
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset d14, 144
        .cfi_rel_offset d15, 152
        adr     x9, .Lresume
        mov     x10, sp
        stp     x10, x29, [x1]
        str     x9, [x1, #16]
        ldp     x10, x29, [x2]
        ldr     x9, [x2, #16]
        mov     sp, x10
        br      x9
        .p2align 4
.Lresume:
        hint    #36  // bti j
        ldp     d14, d15, [sp, #144]
        .cfi_restore d14
        .cfi_restore d15
        ldp     d12, d13, [sp, #128]
        .cfi_restore d12
        .cfi_restore d13
        ldp     d10, d11, [sp, #112]
        .cfi_restore d10
        .cfi_restore d11
        ldp     d8, d9, [sp, #96]
        .cfi_restore d8
        .cfi_restore d9
        ldp     x27, x28, [sp, #80]
        .cfi_restore x27
        .cfi_restore x28
        ldp     x25, x26, [sp, #64]
        .cfi_restore x25
        .cfi_restore x26
        ldp     x23, x24, [sp, #48]
        .cfi_restore x23
        .cfi_restore x24
        ldp     x21, x22, [sp, #32]
        .cfi_restore x21
        .cfi_restore x22
        ldp     x19, x20, [sp, #16]
        .cfi_restore x19
        .cfi_restore x20
        ldp     x29, x30, [sp]
        .cfi_restore x29
        .cfi_restore x30
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        ret
        .cfi_endproc
        .size   verdant_switch, . - verdant_switch

// As above: fn and arg stand at the stack's end, and the undefined return address ends every unwinding.
        .globl  verdant_fiber_entry
        .hidden verdant_fiber_entry
        .type   verdant_fiber_entry, %function
        .p2align 4
verdant_fiber_entry:
        .cfi_startproc
        .cfi_undefined x30
        .cfi_def_cfa sp, 16
        hint    #36  // bti j
        ldp     x9, x1, [sp], #16
        .cfi_adjust_cfa_offset -16
        mov     x29, xzr
        mov     x30, xzr
        blr     x9
        brk     #0
        .cfi_endproc
        .size   verdant_fiber_entry, . - verdant_fiber_entry

// Every indirect branch above lands on a bti. Without this note the linker would take one object file without landing pads for
// the whole program.
        .section .note.gnu.property, "a"
        .p2align 3
        .word   4           // length of the name
        .word   16          // of the property
        .word   5           // NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .word   0xc0000000  // GNU_PROPERTY_AARCH64_FEATURE_1_AND
        .word   4           // length of the flags
        .word   1           // GNU_PROPERTY_AARCH64_FEATURE_1_BTI
        .word   0

#else
#error "Verdant's context switch knows x86-64 and aarch64"
#endif

        .section .note.GNU-stack, "", %progbits
