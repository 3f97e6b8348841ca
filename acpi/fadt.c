/*
 * FADT: the fixed hardware, and where the DSDT is. [ACPI65] 5.2.9
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define FADT_REVISION 6
#define FADT_MINOR_ARM64 3
#define LATENCY_NO_C2 101
#define LATENCY_NO_C3 1001

/* The PM device's registers, from its base port. [OVMM] vm/devices/chipset/src/pm.rs */
enum {
	PM1_EVENT = 0x00,
	PM1_CONTROL = 0x04,
	PM_TIMER = 0x08,
	PM_GPE0 = 0x0C,
	PM_RESET = 0x33,
	PM1_EVENT_LEN = 4,
	PM1_CONTROL_LEN = 2,
	PM_TIMER_LEN = 4,
	PM_GPE0_LEN = 4,
};

size_t acpi_bound_fadt_x86(const AcpiInputs *in)
{
	(void)in;
	return sizeof(Fadt);
}

size_t acpi_bound_fadt_arm64(const AcpiInputs *in)
{
	(void)in;
	return sizeof(Fadt);
}

static void put_fadt(const AcpiContext *c, ByteWriter *w, Fadt *fadt)
{
	const size_t mark = acpi_table_begin(
		w, "FACP", FADT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));

	fadt->x_firmware_ctrl = c->facs;
	fadt->x_dsdt = c->dsdt;
	put_bytes(w, (const uint8_t *)fadt + sizeof(fadt->header),
		sizeof(*fadt) - sizeof(fadt->header));
	acpi_table_end(w, mark);
}

static AcpiAddress io_block(uint32_t port, unsigned len, uint8_t access_size)
{
	/* ACPICA warns unless the width agrees with the length. */
	return (AcpiAddress){ .space = ACPI_SPACE_IO,
		.bit_width = (uint8_t)(8 * len),
		.access_size = access_size,
		.address = port };
}

bool acpi_put_fadt_x86(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const uint32_t base = c->in->pm_base;
	Fadt fadt = { .sci_int = (uint16_t)c->in->acpi_irq,
		.pm1_evt_len = PM1_EVENT_LEN,
		.pm1_cnt_len = PM1_CONTROL_LEN,
		.pm_tmr_len = PM_TIMER_LEN,
		.gpe0_blk_len = PM_GPE0_LEN,
		.p_lvl2_lat = LATENCY_NO_C2,
		.p_lvl3_lat = LATENCY_NO_C3,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
			FADT_RTC_S4 | FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP |
			FADT_USE_PLATFORM_CLOCK,
		.reset_reg = io_block(base + PM_RESET, 1, ACPI_ACCESS_BYTE),
		.reset_value = 1,
		.x_pm1a_evt_blk = io_block(base + PM1_EVENT, PM1_EVENT_LEN, ACPI_ACCESS_WORD),
		.x_pm1a_cnt_blk =
			io_block(base + PM1_CONTROL, PM1_CONTROL_LEN, ACPI_ACCESS_WORD),
		.x_pm_tmr_blk = io_block(base + PM_TIMER, PM_TIMER_LEN, ACPI_ACCESS_DWORD),
		.x_gpe0_blk = io_block(base + PM_GPE0, PM_GPE0_LEN, ACPI_ACCESS_WORD) };

	if (base > UINT16_MAX - PM_RESET)
		return error_set(err, PVW_ACPI_0010,
			"fadt: pm base port 0x%x, expected at most 0x%x", base,
			(unsigned)(UINT16_MAX - PM_RESET));
	if (c->in->acpi_irq > UINT8_MAX)
		return error_set(err, PVW_ACPI_0009, "fadt: sci %u, expected at most 255",
			c->in->acpi_irq);
	put_fadt(c, w, &fadt);
	return true;
}

/* Bits of ARM_BOOT_ARCH. */
static const uint16_t psci_flags[] = {
	[ACPI_PSCI_HVC] = FADT_ARM_PSCI_COMPLIANT | FADT_ARM_PSCI_USE_HVC,
	[ACPI_PSCI_SMC] = FADT_ARM_PSCI_COMPLIANT,
	[ACPI_PSCI_NONE] = 0,
};
static_assert(ARRAY_COUNT(psci_flags) == ACPI_PSCI_COUNT, "a row for every conduit");

bool acpi_put_fadt_arm64(const AcpiContext *c, ByteWriter *w, Error *err)
{
	Fadt fadt = { .flags = FADT_HW_REDUCED_ACPI,
		.arm_boot_arch = psci_flags[c->in->psci],
		.minor_version = FADT_MINOR_ARM64,
		.hypervisor_identity = c->in->hypervisor_identity };

	(void)err;
	put_fadt(c, w, &fadt);
	return true;
}
