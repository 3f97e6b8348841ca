/*
 * The machine as all boot paths describe it.
 */
#include "loaders/boot_machine.h"

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

bool boot_machine_acpi(
	const BootInputs *in, AcpiProfile profile, Arena *arena, AcpiInputs *out, Error *err)
{
	AcpiInputs acpi = {
		.profile = profile,
		.topology = in->topology,
		.mmio_low = in->mmio->low,
		.mmio_high = in->mmio->high,
		.with_psp = in->settings->chipset.psp,
	};

	if (!list_ram(in->layout->vtl0.ram, arena, &acpi.ram, err))
		return false;
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
