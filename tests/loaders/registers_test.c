/*
 * The table of registers against the numbers of the hypervisor and of the processor's manual.
 */
#include "loaders/registers.h"

#include <criterion/criterion.h>
#include <string.h>

static void check_row(RegisterId id, const char *name, uint32_t hypervisor, uint32_t msr,
	GuestArch arch, RegisterScope scope)
{
	const RegisterRow *row = register_row(id);

	cr_assert_str_eq(row->name, name);
	cr_assert_eq(row->hypervisor, hypervisor, "%s: 0x%x", name, row->hypervisor);
	cr_assert_eq(row->msr, msr, "%s: msr 0x%x", name, row->msr);
	cr_assert_eq(row->arch, arch, "%s", name);
	cr_assert_eq(row->scope, scope, "%s", name);
}

Test(registers, have_the_numbers_of_the_hypervisor)
{
	const GuestArch x86 = GUEST_ARCH_X86_64, arm = GUEST_ARCH_AARCH64;

	check_row(REGISTER_RSP, "Rsp", 0x20004, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_R12, "R12", 0x2000c, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_RIP, "Rip", 0x20010, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_CR4, "Cr4", 0x40003, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_GS, "Gs", 0x60005, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_TR, "Tr", 0x60007, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_GDTR, "Gdtr", 0x70001, 0, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_EFER, "Efer", 0x80001, 0xc0000080, x86, REGISTER_SCOPE_BSP);
	check_row(REGISTER_PAT, "Pat", 0x80004, 0x277, x86, REGISTER_SCOPE_ALL_VPS);
	check_row(REGISTER_MTRR_DEF_TYPE, "MtrrDefType", 0x8000e, 0x2ff, x86,
		REGISTER_SCOPE_ALL_VPS);
	check_row(REGISTER_X7, "X7", 0x20007, 0, arm, REGISTER_SCOPE_BSP);
	check_row(REGISTER_PC, "Pc", 0x20022, 0, arm, REGISTER_SCOPE_BSP);
	check_row(REGISTER_SCTLR_EL1, "SctlrEl1", 0x40002, 0, arm, REGISTER_SCOPE_BSP);
	check_row(REGISTER_VBAR_EL1, "VbarEl1", 0x4000c, 0, arm, REGISTER_SCOPE_BSP);
}

Test(registers, number_all_mtrrs)
{
	static const uint32_t fixed_msrs[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b,
		0x26c, 0x26d, 0x26e, 0x26f };

	for (uint32_t i = 0; i < 8; i++) {
		const RegisterRow *base = register_row(REGISTER_MTRR_PHYS_BASE0 + i);
		const RegisterRow *mask = register_row(REGISTER_MTRR_PHYS_MASK0 + i);

		cr_assert_eq(base->hypervisor, 0x80010 + i);
		cr_assert_eq(base->msr, 0x200 + 2 * i);
		cr_assert_eq(mask->hypervisor, 0x80040 + i);
		cr_assert_eq(mask->msr, 0x201 + 2 * i);
		cr_assert_eq(base->name[strlen(base->name) - 1], (char)('0' + i));
		cr_assert_eq(mask->name[strlen(mask->name) - 1], (char)('0' + i));
	}
	for (uint32_t i = 0; i < 11; i++) {
		const RegisterRow *row = register_row(REGISTER_MTRR_FIX64K_00000 + i);

		cr_assert_eq(row->hypervisor, 0x80070 + i);
		cr_assert_eq(row->msr, fixed_msrs[i], "%s", row->name);
		cr_assert_eq(row->scope, REGISTER_SCOPE_ALL_VPS);
	}
	cr_assert_str_eq(register_row(REGISTER_MTRR_FIX4K_F8000)->name, "MtrrFix4kF8000");
}

Test(registers, are_found_by_number_and_architecture)
{
	for (RegisterId id = 0; id < REGISTER_COUNT; id++) {
		const RegisterRow *row = register_row(id);

		cr_assert_not_null(row->name, "row %d", (int)id);
		cr_assert_eq(register_from_hypervisor(row->hypervisor, row->arch), id, "%s",
			row->name);
	}
	cr_assert_eq(register_from_hypervisor(0x20004, GUEST_ARCH_AARCH64), REGISTER_X0 + 4);
	cr_assert_eq(register_from_hypervisor(0x20004, GUEST_ARCH_X86_64), REGISTER_RSP);
	cr_assert_eq(register_from_hypervisor(0x80018, GUEST_ARCH_X86_64), REGISTER_COUNT);
	cr_assert_eq(register_from_hypervisor(0, GUEST_ARCH_X86_64), REGISTER_COUNT);
	cr_assert_eq(register_from_hypervisor(0x20022, GUEST_ARCH_X86_64), REGISTER_COUNT);
}

/* What tells scopes from register numbers in a plan digest. */
Test(registers, have_numbers_above_every_scope)
{
	for (RegisterId id = 0; id < REGISTER_COUNT; id++)
		cr_assert_geq(register_row(id)->hypervisor, 0x20000u);
}

Test(registers, know_variable_mtrrs)
{
	cr_assert(register_is_variable_mtrr(REGISTER_MTRR_PHYS_BASE0));
	cr_assert(register_is_variable_mtrr(REGISTER_MTRR_PHYS_MASK7));
	cr_assert_not(register_is_variable_mtrr(REGISTER_MTRR_DEF_TYPE));
	cr_assert_not(register_is_variable_mtrr(REGISTER_MTRR_FIX64K_00000));
}

/* The 16 bytes as the hypervisor reads them: base, limit, selector, attributes. */
Test(registers, pack_segments)
{
	const Register cs =
		register_segment(REGISTER_CS, 0x1122334455667788, 0xfffffffe, 0x08, 0xa09b);
	const uint8_t expected[16] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xfe,
		0xff, 0xff, 0xff, 0x08, 0x00, 0x9b, 0xa0 };
	uint8_t bytes[16];

	memcpy(bytes, &cs.low, 8);
	memcpy(bytes + 8, &cs.high, 8);
	cr_assert_eq(cs.id, REGISTER_CS);
	cr_assert_arr_eq(bytes, expected, sizeof(expected));
}

/* Three halfwords of zeros, limit, base. */
Test(registers, pack_tables)
{
	const Register gdtr = register_table(REGISTER_GDTR, 0x1122334455667788, 0x1f);
	const uint8_t expected[16] = { 0, 0, 0, 0, 0, 0, 0x1f, 0, 0x88, 0x77, 0x66, 0x55, 0x44,
		0x33, 0x22, 0x11 };
	uint8_t bytes[16];

	memcpy(bytes, &gdtr.low, 8);
	memcpy(bytes + 8, &gdtr.high, 8);
	cr_assert_eq(gdtr.id, REGISTER_GDTR);
	cr_assert_arr_eq(bytes, expected, sizeof(expected));
}
