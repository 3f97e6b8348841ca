/*
 * A BIOS of our own that starts nothing: it asks the PCAT device everything that a PC BIOS asks, in
 * the order in which one would, checks what can be checked from inside, and halts.
 *
 * 256 KiB, as the image of a PCAT guest; the code is in the last 64 KiB, at F000:0000. Every access
 * to a port is one of the instructions at the labels io_*, so that who runs this can
 * stop there. What it found is left in RAM:
 *
 *	0x8000  "PVWBIOS!" once it is done; number of failed checks; number of the last one
 *	0x8010  registers 0x00 0x23 0x0d 0x12 0x20 0x21 0x1f 0x08 0x07 0x01 0x10
 *	0x8080  serial number of the system, 32 bytes; GUID, 16 bytes
 *	0x80c0  APIC ids
 *	0x8200  RAM behind the first range: head, base low, base high; ends with a head of 0
 *	0x90000 SRAT, 0x98000 processor record, 0x99000 entropy, 0x9a000 generation id
 */
	.code16
	.text
	.globl _start
_start:

/* check CONDITION-that-must-hold, number: counts what does not hold */
	.macro check condition, number
	j\condition 9f
	mov $\number, %eax
	call failed
9:
	.endm

	.macro post code
	mov $\code, %al
	call io_post
	.endm

	cli
	cld
	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0x7000, %sp

	post 0x01
	xor %eax, %eax
	mov $0x8000, %di
	mov $0x200, %cx
	rep stosl

/* Numbers. */
	mov $numbers, %si
	mov $0x8010, %di
next_number:
	movzbl %cs:(%si), %eax
	inc %si
	cmp $0xff, %al
	je numbers_end
	call select
	call read
	stosl
	jmp next_number
numbers_end:
	post 0x02

/* Strings: a serial number, once around, and the GUID. */
	mov $0x8080, %di
	mov $0x03, %eax
	call select
	mov $8, %cx
1:	call read
	stosl
	loop 1b
	call read
	cmp 0x8080, %eax
	check e, 1
	mov $0x02, %eax
	call select
	mov $4, %cx
1:	call read
	stosl
	loop 1b

/* Processors: their identifiers, then nothing; each of them is there, the next is not. */
	mov $0x80c0, %di
	mov $0x09, %eax
	call select
	mov 0x802c, %cx
1:	call read
	stosl
	loop 1b
	call read
	cmp $-1, %eax
	check e, 2
	mov $0x16, %eax
	call select
	mov 0x802c, %eax
	dec %eax
	call write
	call read
	cmp $1, %eax
	check e, 3
	call read
	test %eax, %eax
	check z, 4
	post 0x03

/* RAM behind the first range. */
	xor %ebx, %ebx
	mov $0x8200, %di
next_range:
	mov $0x22, %eax
	call select
	mov %ebx, %eax
	call write
	mov $0x22, %eax
	call select
	call read
	test $1, %al
	jz ranges_end
	mov %eax, %ebp
	stosl
	call read
	stosl
	call read
	stosl
	call read
	test %eax, %eax
	check z, 5
	inc %ebx
	test $4, %ebp
	jnz next_range
	mov $0x22, %eax
	call select
	mov %ebx, %eax
	call write
	mov $0x22, %eax
	call select
	call read
ranges_end:
	test %eax, %eax
	check z, 6
	/* Index 255 is behind every list and not its start. */
	mov $0x22, %eax
	call select
	mov $0xff, %eax
	call write
	call read
	test %eax, %eax
	check z, 7
	post 0x04

/* SRAT: into memory, where it must add up; and the same bytes through the port. */
	mov $0x0a, %eax
	call select
	call read
	mov %eax, %ebp
	call write
	mov $0x0b, %eax
	call select
	mov $4, %eax
	call write
	mov $0x0c, %eax
	call select
	mov $0x90000, %eax
	call write
	mov $0x9000, %ax
	mov %ax, %fs
	cmpl $0x54415253, %fs:0
	check e, 8
	cmp %fs:4, %ebp
	check e, 9
	xor %si, %si
	xor %al, %al
	mov %bp, %cx
1:	add %fs:(%si), %al
	inc %si
	loop 1b
	test %al, %al
	check z, 10
	mov $4, %si
	mov %bp, %cx
	shr $2, %cx
	dec %cx
1:	call read
	cmp %fs:(%si), %eax
	check e, 11
	add $4, %si
	loop 1b
	/* An offset from which the position would wrap gives nothing. */
	mov $0x0b, %eax
	call select
	mov $-4, %eax
	call write
	mov $0x0c, %eax
	call select
	call read
	call read
	test %eax, %eax
	check z, 12
	post 0x05

/* Processor record, entropy (once), generation id. */
	mov $0x1d, %eax
	call select
	mov $0x98000, %eax
	call write
	mov $0x9800, %ax
	mov %ax, %fs
	cmpw $0x2304, %fs:0
	check e, 13
	mov $0x1e, %eax
	call select
	mov $0x99000, %eax
	call write
	mov $0x99100, %eax
	call write
	mov $0x9900, %ax
	mov %ax, %fs
	cmpl $0, %fs:0
	check ne, 14
	cmpl $0, %fs:0x100
	check e, 15
	mov $0x0e, %eax
	call select
	mov $0x9a000, %eax
	call write
	mov $0x0f, %eax
	call select
	xor %eax, %eax
	call write
	post 0x06

/* Waits; the processor goes on when they are over. */
	mov $0x18, %eax
	call select
	mov $0x1b, %eax
	call select
	mov $0x19, %eax
	call select
	mov $0x17, %eax
	call select
	mov $2500, %eax
	call write

/* What is not there, and what is only there during POST. */
	mov $0x11, %eax
	call select
	call read
	cmp $-1, %eax
	check e, 16
	mov $0x279, %dx
	call io_in_byte
	cmp $0xff, %al
	check e, 17
	mov $0x2f, %dx
	call io_in_byte
	cmp $0xff, %al
	check e, 18

/* The end of POST: MTRRs as they were, a boot that is tried and fails. */
	mov $0x1a, %eax
	call select
	xor %eax, %eax
	call write
	mov $0x3b, %eax
	call select
	mov $0x50ac, %ax
	call io_post_word
	mov $0x279, %dx
	call io_in_byte
	mov $0x3a, %eax
	call select

	movl $0x42575650, 0x8000
	movl $0x21534f49, 0x8004
	.globl halted
halted:
	hlt
	jmp halted

/* %eax: number of the check */
failed:
	incw 0x8008
	mov %ax, 0x800a
	ret

select:
	mov $0x28, %dx
	jmp io_out
write:
	mov $0x2c, %dx
	.globl io_out
io_out:
	out %eax, %dx
	ret
read:
	mov $0x2c, %dx
	.globl io_in
io_in:
	in %dx, %eax
	ret
	.globl io_in_byte
io_in_byte:
	in %dx, %al
	ret
	.globl io_post
io_post:
	out %al, $0x80
	ret
	.globl io_post_word
io_post_word:
	out %ax, $0x80
	ret

numbers:
	.byte 0x00, 0x23, 0x0d, 0x12, 0x20, 0x21, 0x1f, 0x08, 0x07, 0x01, 0x10, 0xff

	.section .reset, "ax"
	ljmp $0xf000, $_start
	.balign 16, 0
