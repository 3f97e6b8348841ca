/*
 * The machine as all boot paths describe it.
 */
#include "loaders/boot_machine.h"

#include "layout/fixed_map.h"

static bool list_ram(LayoutRecordList ram, Arena *arena, NodeRangeList *out, Error *err)
{
	NodeRange *items = arena_reserve_array(arena, NodeRange, ram.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < ram.count; i++)
		items[i] = (NodeRange){ ram.items[i].range, ram.items[i].vnode };
	*out = (NodeRangeList){ items, ram.count };
	return true;
}

/* The serial ports that the chipset settings call COM1 and COM2. */
static const AcpiPort serial_ports[GUEST_ARCH_COUNT][2] = {
	[GUEST_ARCH_X86_64] = { { ACPI_PORT_16550, COM1_PORT, COM1_IRQ, "\\_SB.UAR1" },
		{ ACPI_PORT_16550, COM2_PORT, COM2_IRQ, "\\_SB.UAR2" } },
	[GUEST_ARCH_AARCH64] = { { ACPI_PORT_PL011, PL011_0_GPA, PL011_0_INTID, "\\_SB.UAR0" },
		{ ACPI_PORT_PL011, PL011_1_GPA, PL011_1_INTID, "\\_SB.UAR1" } },
};

/*
 * What firmware would say and the reference's tables do not: who may sleep, which port is a
 * console or a debugger's, that the chipset's timers need no workarounds.
 */
static void tell_beyond_reference(const PlatformSettings *settings, AcpiInputs *acpi)
{
	const ChipsetSettings *chipset = &settings->chipset;
	const AcpiPort *ports = serial_ports[acpi->topology->arch];
	const bool present[] = { chipset->com1, chipset->com2 };
	const bool debugger[] = { chipset->com1_debugger, chipset->com2_debugger };

	acpi->with_facs = acpi->with_waet = acpi->topology->arch == GUEST_ARCH_X86_64;
	acpi->with_hibernation = acpi->with_facs && settings->uefi.hibernation;
	for (size_t i = ARRAY_COUNT(present); i-- > 0;) {
		if (present[i])
			*(debugger[i] ? &acpi->debug_port : &acpi->console) = ports[i];
	}
}

bool boot_machine_acpi(
	const BootInputs *in, AcpiProfile profile, Arena *arena, AcpiInputs *out, Error *err)
{
	AcpiInputs acpi = {
		.profile = profile,
		.topology = in->topology,
		.mmio_low = in->mmio->low,
		.mmio_high = in->mmio->high,
		.with_psp = in->settings->chipset.psp,
		.bridges = in->bridges,
		.bridge_count = in->bridge_count,
	};

	if (!list_ram(in->layout->vtl0.ram, arena, &acpi.ram, err))
		return false;
	if (profile != ACPI_PROFILE_REFERENCE)
		tell_beyond_reference(in->settings, &acpi);
	*out = acpi;
	return true;
}

/* What gave way may be written through a cache that its device does not see. */
static void tell_yielded(const MtrrInputs *in, MtrrYield yielded, Diagnostics *diagnostics)
{
	for (MtrrYield list = MTRR_YIELD_VTL2 + 1; list < yielded; list++) {
		for (size_t i = 0; i < in->yielding[list].count; i++)
			diagnostics_add(diagnostics, PVW_MTRR_0006, "mtrrs",
				"%s " RANGE_FORMAT " may be write-back, expected uncached: no "
				"pairs are left for it",
				mtrr_yield_name(list), RANGE_ARGS(in->yielding[list].items[i]));
	}
}

bool boot_machine_add_mtrrs(const BootInputs *in, MtrrPolicy policy, Arena *arena,
	BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	Register registers[2 * MTRR_MAX_PAIRS];
	MtrrInputs inputs;
	MtrrSet set;
	size_t count;

	if (!mtrr_inputs_from_layout(
		    in->layout, in->mmio, in->physical_address_bits, arena, &inputs, err) ||
		!mtrr_solve(policy, &inputs, arena, &set, err))
		return error_wrap(err, "mtrrs");
	tell_yielded(&inputs, set.yielded, diagnostics);
	count = mtrr_registers(&set, registers);
	for (size_t i = 0; i < count; i++)
		boot_plan_register(plan, registers[i]);
	return true;
}

#define TEXT(literal)                                                                          \
	{                                                                                      \
		(const uint8_t *)(literal), sizeof(literal) - 1                                \
	}

static Bytes or_default(Bytes stated, Bytes otherwise)
{
	return stated.len ? stated : otherwise;
}

SmbiosInputs boot_machine_smbios(const PlatformSettings *settings)
{
	static const SmbiosInputs direct_boot = {
		.bios_vendor = TEXT("OpenVMM"),
		.bios_version = TEXT("OpenVMM Direct"),
		.bios_release_date = TEXT("06/19/2026"),
		.manufacturer = TEXT("OpenVMM"),
		.product = TEXT("OpenVMM Virtual Machine"),
	};
	const SmbiosSettings *host = &settings->smbios;
	SmbiosInputs identity = direct_boot;

	identity.manufacturer = or_default(host->system_manufacturer, identity.manufacturer);
	identity.product = or_default(host->system_product, identity.product);
	identity.version = host->system_version;
	identity.serial_number = host->serial_number;
	identity.sku_number = host->system_sku;
	identity.family = host->system_family;
	identity.uuid = settings->bios_guid;
	return identity;
}
