/* src/sim/fiber_x86_64.S - leave one stack, go on with another (System V ABI, x86-64).
 *
 * Saves what a callee must preserve: rbx, rbp, r12 to r15 and the stack pointer. The control words of SSE
 * (mxcsr) and x87 are callee-saved too, but nothing in this program changes them, so that all fibers share one
 * setting and 20 instructions are enough.
 */
#if defined(__x86_64__)
	.text

/* void fiber_switch(void **save_sp, void *load_sp) */
	.globl	fiber_switch
	.hidden	fiber_switch
	.type	fiber_switch, @function
	.balign	16
fiber_switch:
	.cfi_startproc
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	popq	%rcx			/* not ret: its predictor knows the calls of the stack we left */
	jmp	*%rcx
	.cfi_endproc
	.size	fiber_switch, .-fiber_switch

/* First instructions on a new stack: r12 is the function to call. Above lies a zero return address,
 * where debuggers stop. */
	.globl	fiber_begin
	.hidden	fiber_begin
	.type	fiber_begin, @function
	.balign	16
fiber_begin:
	.cfi_startproc
	.cfi_undefined %rip
	xorl	%ebp, %ebp
	call	*%r12
	ud2
	.cfi_endproc
	.size	fiber_begin, .-fiber_begin
#endif
	.section .note.GNU-stack, "", @progbits
