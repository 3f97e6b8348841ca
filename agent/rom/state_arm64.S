/*
 * A ROM that gives a machine the register state of a plan and jumps to it.
 *
 * At address 0, where the board's flash is and its processors begin, at EL1 with the MMU off. The
 * agent writes the state into the image, at STATE, in the form of struct StateArm64
 * (agent/state_rom_arm64.c), and appends the part of guest memory that the board overwrites with a
 * device tree of its own at every reset: it is copied back first.
 */
#define STATE 0x1000

/* Offsets of struct StateArm64. */
#define COPY_SOURCE 0x008	/* in the image */
#define COPY_TARGET 0x010	/* GPA */
#define COPY_LEN 0x018		/* a multiple of 64, or 0 */
#define PC_AND_SPSR 0x020
#define SCTLR_AND_TCR 0x030
#define TTBR0_AND_TTBR1 0x040
#define VBAR_AND_MAIR 0x050
#define GPRS 0x060		/* x0 ... x30 */

#define CURRENT_EL1 (1 << 2)

	.arch	armv8-a
	.section .text.start, "ax"
	.globl	start
start:
	msr	daifset, #0xf
	mrs	x0, CurrentEL
	cmp	x0, #CURRENT_EL1
	b.ne	dead

	mov	x30, #STATE
	ldp	x1, x2, [x30, #COPY_SOURCE]
	ldr	x3, [x30, #COPY_LEN]
	cbz	x3, copied
next:
	ldp	x4, x5, [x1], #16
	ldp	x6, x7, [x1], #16
	ldp	x8, x9, [x1], #16
	ldp	x10, x11, [x1], #16
	stp	x4, x5, [x2], #16
	stp	x6, x7, [x2], #16
	stp	x8, x9, [x2], #16
	stp	x10, x11, [x2], #16
	subs	x3, x3, #64
	b.ne	next

	/* What was copied may be instructions. */
copied:
	dsb	sy
	ic	iallu
	dsb	sy
	isb

	/* The MMU stays off: the agent has seen to it. */
	ldp	x0, x1, [x30, #TTBR0_AND_TTBR1]
	msr	ttbr0_el1, x0
	msr	ttbr1_el1, x1
	ldp	x0, x1, [x30, #VBAR_AND_MAIR]
	msr	vbar_el1, x0
	msr	mair_el1, x1
	ldp	x0, x1, [x30, #SCTLR_AND_TCR]
	msr	tcr_el1, x1
	isb
	msr	sctlr_el1, x0
	isb
	ldp	x0, x1, [x30, #PC_AND_SPSR]
	msr	elr_el1, x0
	msr	spsr_el1, x1

	ldp	x0, x1, [x30, #GPRS + 0]
	ldp	x2, x3, [x30, #GPRS + 16]
	ldp	x4, x5, [x30, #GPRS + 32]
	ldp	x6, x7, [x30, #GPRS + 48]
	ldp	x8, x9, [x30, #GPRS + 64]
	ldp	x10, x11, [x30, #GPRS + 80]
	ldp	x12, x13, [x30, #GPRS + 96]
	ldp	x14, x15, [x30, #GPRS + 112]
	ldp	x16, x17, [x30, #GPRS + 128]
	ldp	x18, x19, [x30, #GPRS + 144]
	ldp	x20, x21, [x30, #GPRS + 160]
	ldp	x22, x23, [x30, #GPRS + 176]
	ldp	x24, x25, [x30, #GPRS + 192]
	ldp	x26, x27, [x30, #GPRS + 208]
	ldp	x28, x29, [x30, #GPRS + 224]
	ldr	x30, [x30, #GPRS + 240]
	eret

	/* Another exception level: nothing here is for it. The agent sees that nothing is said. */
dead:
	wfi
	b	dead

	/* What the agent finds. */
	.section .text.state, "ax"
	.ascii	"PVWA6401"
