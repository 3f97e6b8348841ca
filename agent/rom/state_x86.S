/*
 * A ROM that gives a machine the register state of a plan and jumps to it.
 *
 * 64 KiB at 0xFFFF0000, where an x86 processor begins. The agent writes the state into the image, at
 * STATE, in the form of struct StateX86 (agent/state_rom.c); nothing of it lies in the guest's memory.
 * The page tables of the plan must map the last page below 4 GiB to itself.
 */
#define ROM 0xffff0000
#define STATE state	/* a symbol, for addresses relative to the instruction */

/* Offsets of struct StateX86. */
#define MSR_COUNT STATE + 0x008
#define PM_BASE STATE + 0x00c
#define GPRS STATE + 0x010	/* rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15 */
#define RIP_SLOT STATE + 0x090
#define RFLAGS STATE + 0x098
#define CR0_VALUE STATE + 0x0a0
#define CR3_VALUE STATE + 0x0a8
#define CR4_VALUE STATE + 0x0b0
#define EFER_VALUE STATE + 0x0b8
#define GDTR_VALUE STATE + 0x0c6	/* limit, then base */
#define IDTR_VALUE STATE + 0x0d6
#define SELECTORS STATE + 0x0e0	/* es cs ss ds fs gs tr ldtr */
#define FAR_POINTER STATE + 0x0f0	/* long_entry from here, the plan's cs from the agent */
#define MSRS STATE + 0x100	/* number, 0, value */

#define MSR_EFER 0xc0000080
#define EFER_LMA 0x400

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define HOST_BRIDGE 0x80000000	/* 00:00.0 */
#define ICH9_LPC 0x8000f800	/* 00:1f.0 */
#define PIIX4_PM 0x80000b00	/* 00:01.3 */

/* There is no stack: what is done often is a macro. They take eax and edx. */
	.macro PCI_READ function, offset
	movl	$(\function + \offset), %eax
	movw	$PCI_ADDRESS, %dx
	outl	%eax, %dx
	movw	$PCI_DATA, %dx
	inl	%dx, %eax
	.endm

	.macro PCI_SET function, offset, keep, value
	PCI_READ \function, \offset
	andl	$\keep, %eax
	orl	\value, %eax
	outl	%eax, %dx
	.endm

	.section .text.start, "ax"
	.code16
	.globl	start
start:
	cli
	cld
	lgdtl	%cs:(gdt_pointer - ROM)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $protected

	.code32
protected:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	%cr0, %eax	/* caches on */
	andl	$0x9fffffff, %eax
	movl	%eax, %cr0

	/* MTRRs and PAT, in the order of the agent. */
	movl	MSR_COUNT, %ebx
	movl	$MSRS, %esi
	testl	%ebx, %ebx
	jz	chipset
next_msr:
	movl	(%esi), %ecx
	movl	8(%esi), %eax
	movl	12(%esi), %edx
	wrmsr
	addl	$16, %esi
	decl	%ebx
	jnz	next_msr

	/*
	 * Which chipset is it? Memory from 0xC0000 to 1 MiB is RAM for reads and writes, power
	 * management answers at PM_BASE.
	 */
chipset:
	PCI_READ HOST_BRIDGE, 0x00
	cmpl	$0x29c08086, %eax
	je	q35
	cmpl	$0x12378086, %eax
	je	i440fx
	jmp	long_mode

q35:
	PCI_SET	HOST_BRIDGE, 0x90, 0x00000000, $0x33333330	/* PAM0 to PAM3 */
	PCI_SET	HOST_BRIDGE, 0x94, 0xff000000, $0x00333333	/* PAM4 to PAM6 */
	movl	PM_BASE, %ebx
	testl	%ebx, %ebx
	jz	long_mode
	orl	$1, %ebx
	PCI_SET	ICH9_LPC, 0x40, 0x00000000, %ebx	/* PMBASE */
	PCI_SET	ICH9_LPC, 0x44, 0xffffff00, $0x80	/* ACPI_CNTL: on, SCI 9 */
	jmp	long_mode

i440fx:
	PCI_SET	HOST_BRIDGE, 0x58, 0x000000ff, $0x33333000	/* PAM0 to PAM2 */
	PCI_SET	HOST_BRIDGE, 0x5c, 0x00000000, $0x33333333	/* PAM3 to PAM6 */
	movl	PM_BASE, %ebx
	testl	%ebx, %ebx
	jz	long_mode
	orl	$1, %ebx
	PCI_SET	PIIX4_PM, 0x40, 0x00000000, %ebx	/* PMBA */
	PCI_SET	PIIX4_PM, 0x80, 0xffffffff, $1		/* PMREGMISC: on */

	/* The plan's tables. Long mode is active once paging is on. */
long_mode:
	movl	CR4_VALUE, %eax
	movl	%eax, %cr4
	movl	CR3_VALUE, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	EFER_VALUE, %eax
	movl	EFER_VALUE + 4, %edx
	andl	$~EFER_LMA, %eax
	wrmsr
	lgdt	GDTR_VALUE
	lidt	IDTR_VALUE
	movl	CR0_VALUE, %eax
	movl	%eax, %cr0
	ljmp	*FAR_POINTER

	.code64
	.globl	long_entry
long_entry:
	lgdt	GDTR_VALUE(%rip)
	lidt	IDTR_VALUE(%rip)
	movw	SELECTORS + 0(%rip), %es
	movw	SELECTORS + 4(%rip), %ss
	movw	SELECTORS + 6(%rip), %ds
	movw	SELECTORS + 8(%rip), %fs
	movw	SELECTORS + 10(%rip), %gs
	movw	SELECTORS + 14(%rip), %ax
	testw	%ax, %ax
	jz	no_ldt
	lldt	%ax
no_ldt:
	movw	SELECTORS + 12(%rip), %ax
	testw	%ax, %ax
	jz	no_task
	ltr	%ax
no_task:
	movq	CR3_VALUE(%rip), %rax
	movq	%rax, %cr3
	leaq	RFLAGS(%rip), %rsp
	popfq
	movq	GPRS + 8(%rip), %rcx
	movq	GPRS + 16(%rip), %rdx
	movq	GPRS + 24(%rip), %rbx
	movq	GPRS + 32(%rip), %rsp
	movq	GPRS + 40(%rip), %rbp
	movq	GPRS + 48(%rip), %rsi
	movq	GPRS + 56(%rip), %rdi
	movq	GPRS + 64(%rip), %r8
	movq	GPRS + 72(%rip), %r9
	movq	GPRS + 80(%rip), %r10
	movq	GPRS + 88(%rip), %r11
	movq	GPRS + 96(%rip), %r12
	movq	GPRS + 104(%rip), %r13
	movq	GPRS + 112(%rip), %r14
	movq	GPRS + 120(%rip), %r15
	movq	GPRS + 0(%rip), %rax
	jmp	*RIP_SLOT(%rip)

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08: code, 4 GiB, 32 bits */
	.quad	0x00cf93000000ffff	/* 0x10: data, 4 GiB */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	/* What the agent finds: the form of the state, and where 64-bit code goes on. */
	.section .text.state, "ax"
	.ascii	"PVWX8601"
	.space	0x0e8
	.long	long_entry

	.section .text.reset, "ax"
	.code16
reset:
	jmp	start
