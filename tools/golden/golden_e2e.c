/*
 * Area e2e: a boot tree's bytes to everything that UEFI firmware is given, reference profile,
 * layout version 1, hyperv MTRRs. What the case does not say is what the reference's judge fixed:
 * entropy, identity, settings.
 */
#include <stdio.h>

#include "acpi/acpi_build.h"
#include "bootinfo/boot_info_parse.h"
#include "golden.h"
#include "layout/fixed_map.h"
#include "layout/vtl0_layout.h"
#include "loaders/mtrr.h"
#include "loaders/uefi_config.h"
#include "reference_settings.h"

#define DIAGNOSTICS_KEPT 16

static const AcpiUart uarts[] = {
	{ .name = "UAR1", .ddn = "COM1", .uid = 1, .io_base = COM1_PORT, .irq = COM1_IRQ },
	{ .name = "UAR2", .ddn = "COM2", .uid = 2, .io_base = COM2_PORT, .irq = COM2_IRQ },
};

/* One guest, as far as it has come. */
typedef struct Guest {
	uint8_t address_bits;
	BootInfo info;
	ChipsetMmioRanges mmio;
	Vtl0Layout layout;
	ProcessorTopology topology;
	Bytes madt, srat, dsdt, blob;
	MtrrSet mtrrs;
} Guest;

/* Cases repeat APIC ids, which a front end refuses; the tables must still be the reference's. */
static bool number_processors(const json_t *input, Arena *arena, const BootInfo *info,
	ProcessorTopology *out, Error *err)
{
	const TopologyInputs in = {
		.vps_per_socket = (uint32_t)golden_u64(input, "vps_per_socket"),
		.x2apic = X2APIC_SUPPORTED,
	};
	VirtualProcessor *vps = golden_array(arena, info->cpus.count, sizeof(*vps));

	if (!topology_from_count(info->arch, (uint32_t)info->cpus.count, &in, arena, out, err))
		return false;
	for (size_t i = 0; i < info->cpus.count; i++) {
		vps[i].apic_id = (uint32_t)info->cpus.items[i].reg;
		vps[i].vnode = info->cpus.items[i].vnode;
	}
	out->vps = vps;
	if (topology_max_apic_id(out) > TOPOLOGY_MAX_XAPIC_ID)
		out->apic_mode = APIC_MODE_X2APIC_ENABLED;
	return true;
}

static bool decide(const json_t *input, Arena *arena, Guest *guest, Error *err)
{
	const Bytes tree = golden_hex(input, "dtb", arena);

	guest->address_bits = (uint8_t)golden_u64(input, "physical_address_width");
	return boot_info_parse(GUEST_ARCH_X86_64, tree, arena, &guest->info, err) &&
		chipset_mmio_resolve(
			guest->info.mmio, guest->info.map, arena, &guest->mmio, err) &&
		vtl0_layout_build(&guest->info, &guest->mmio, 0, arena, &guest->layout, err) &&
		number_processors(input, arena, &guest->info, &guest->topology, err);
}

static bool build_tables(Arena *arena, Guest *guest, Error *err)
{
	const LayoutRecordList ram = guest->layout.vtl0.ram;
	NodeRange *nodes = golden_array(arena, ram.count, sizeof(*nodes));
	const AcpiInputs acpi = {
		.profile = ACPI_PROFILE_REFERENCE,
		.topology = &guest->topology,
		.ram = { nodes, ram.count },
		.mmio_low = guest->mmio.low,
		.mmio_high = guest->mmio.high,
		.with_ioapic = true,
		.pm_base = PM_BASE_PORT,
		.acpi_irq = SCI_IRQ,
		.uarts = uarts,
		.uart_count = ARRAY_COUNT(uarts),
		.with_rtc = true,
		.with_vmbus = true,
		.without_sleep_states = true,
	};

	for (size_t i = 0; i < ram.count; i++)
		nodes[i] = (NodeRange){ ram.items[i].range, ram.items[i].vnode };
	return acpi_build_table(ACPI_MADT, &acpi, arena, &guest->madt, err) &&
		acpi_build_table(ACPI_SRAT, &acpi, arena, &guest->srat, err) &&
		acpi_build_table(ACPI_DSDT, &acpi, arena, &guest->dsdt, err);
}

static bool build_blob(Arena *arena, Guest *guest, Error *err)
{
	uint8_t entropy[UEFI_ENTROPY_SIZE];
	const UefiConfigInputs config = {
		.arch = guest->info.arch,
		.settings = &reference_settings,
		.entropy = entropy,
		.ram = guest->layout.vtl0.ram,
		.low = guest->mmio.low,
		.high = guest->mmio.high,
		.topology = &guest->topology,
		.madt = guest->madt,
		.srat = guest->srat,
		.image_size = UEFI_X86_IMAGE_SIZE,
	};
	Diagnostics diagnostics;

	for (size_t i = 0; i < sizeof(entropy); i++)
		entropy[i] = (uint8_t)i;
	return diagnostics_init(&diagnostics, DIAGNOSTICS_KEPT, arena, err) &&
		uefi_config_build(&config, arena, &guest->blob, &diagnostics, err);
}

static bool solve_mtrrs(Arena *arena, Guest *guest, Error *err)
{
	MtrrInputs in;

	return mtrr_inputs_from_layout(
		       &guest->layout, &guest->mmio, guest->address_bits, arena, &in, err) &&
		mtrr_solve(MTRR_POLICY_HYPERV, &in, arena, &guest->mtrrs, err);
}

static json_t *write_register(const char *name, size_t i, uint64_t value)
{
	char reg[32];

	snprintf(reg, sizeof(reg), "%s%zu", name, i);
	return json_pack("{s: s, s: o}", "reg", reg, "value", golden_json_u64(value));
}

static json_t *write_mtrrs(const MtrrSet *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->count; i++) {
		json_array_append_new(list, write_register("PhysBase", i, set->pairs[i].base));
		json_array_append_new(list, write_register("PhysMask", i, set->pairs[i].mask));
	}
	return list;
}

bool golden_run_e2e(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	Guest guest = { 0 };

	if (!decide(input, arena, &guest, err) || !build_tables(arena, &guest, err) ||
		!build_blob(arena, &guest, err) || !solve_mtrrs(arena, &guest, err))
		return false;
	*output = json_pack("{s: o, s: o, s: o, s: o, s: o, s: o, s: o}", "chipset_low",
		golden_json_range(guest.mmio.low), "chipset_high",
		golden_json_range(guest.mmio.high), "madt", golden_json_hex(guest.madt), "srat",
		golden_json_hex(guest.srat), "uefi_blob", golden_json_hex(guest.blob), "dsdt",
		golden_json_hex(guest.dsdt), "mtrrs", write_mtrrs(&guest.mtrrs));
	return true;
}
