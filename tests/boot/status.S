/*
 * status N: ends the machine with a status, through the exit device at port 0xf4. Kernels without
 * /dev/port leave no other way.
 */
	.globl	_start
_start:
	movq	16(%rsp), %rsi	/* argv[1]; decimal */
	xorl	%ebx, %ebx
	testq	%rsi, %rsi
	jz	tell
digit:
	movzbl	(%rsi), %eax
	subl	$'0', %eax
	cmpl	$9, %eax
	ja	tell
	imull	$10, %ebx
	addl	%eax, %ebx
	incq	%rsi
	jmp	digit
tell:
	movl	$172, %eax	/* iopl(3) */
	movl	$3, %edi
	syscall
	movl	%ebx, %eax
	outl	%eax, $0xf4
	movl	$60, %eax	/* exit: there was no such device */
	movl	$1, %edi
	syscall
