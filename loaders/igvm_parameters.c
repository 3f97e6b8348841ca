/*
 * Parameters of IGVM images, a row each.
 * Source: [IGVM] igvm_defs/src/lib.rs; [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs
 */
#include "loaders/igvm_parameters.h"

#include <string.h>

#include "bootinfo/host_info_write.h"
#include "layout/fixed_map.h"
#include "loaders/boot_machine.h"
#include "loaders/igvm_format.h"
#include "support/byte_writer.h"

/* Connections of the host's tree, where the boot information has none. */
#define VMBUS_CONNECTION 1
#define VTL2_VMBUS_CONNECTION 4
#define REDIRECTED_VMBUS_CONNECTION 0x800074

/*
 * Memory.
 */

/* Lists pieces of RAM; what continues the last one is merged with it. */
static void add_memory(HostMemory *items, size_t *count, HostMemory piece)
{
	HostMemory *last = *count ? &items[*count - 1] : NULL;

	if (last && last->range.end == piece.range.start && last->vnode == piece.vnode &&
		last->igvm_type == piece.igvm_type)
		last->range.end = piece.range.end;
	else
		items[(*count)++] = piece;
}

/*
 *	entry        [                       )
 *	protectable       [      )
 *	pieces       [ t )[ vtl2 )[ t        )
 */
static void split_entry(const MapEntry *entry, MemoryRangeList protectable, size_t *at,
	HostMemory *items, size_t *count)
{
	const uint16_t type =
		entry->type == MEMORY_TYPE_VTL0 ? entry->igvm_type : IGVM_VTL2_PROTECTABLE;
	uint64_t from = entry->range.start;

	while (from < entry->range.end) {
		const MemoryRange *next;
		uint64_t to;

		while (*at < protectable.count && protectable.items[*at].end <= from)
			(*at)++;
		next = *at < protectable.count ? &protectable.items[*at] : NULL;
		if (next && next->start <= from) {
			to = next->end < entry->range.end ? next->end : entry->range.end;
			add_memory(items, count,
				(HostMemory){
					{ from, to }, IGVM_VTL2_PROTECTABLE, entry->vnode });
		} else {
			to = next && next->start < entry->range.end ? next->start
								    : entry->range.end;
			add_memory(
				items, count, (HostMemory){ { from, to }, type, entry->vnode });
		}
		from = to;
	}
}

bool igvm_machine_memory(MapEntryList map, MemoryRangeList protectable, Arena *arena,
	HostMemoryList *out, Error *err)
{
	/* Each range cuts an entry in at most three. */
	HostMemory *items =
		arena_reserve_array(arena, HostMemory, map.count + 2 * protectable.count, err);
	size_t count = 0, at = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < map.count; i++)
		split_entry(&map.items[i], protectable, &at, items, &count);
	*out = (HostMemoryList){ items, count };
	return true;
}

static bool build_memory_map(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	IgvmMemoryMapEntry *entries =
		arena_array(arena, IgvmMemoryMapEntry, machine->memory.count, err);
	size_t count = 0;

	if (!entries)
		return false;
	/* Nodes are not told of here. */
	for (size_t i = 0; i < machine->memory.count; i++) {
		const HostMemory *memory = &machine->memory.items[i];
		const uint64_t page = memory->range.start >> PAGE_SHIFT;
		const uint64_t pages = memory_range_len(memory->range) >> PAGE_SHIFT;
		IgvmMemoryMapEntry *last = count ? &entries[count - 1] : NULL;

		if (last && last->page + last->count == page && last->type == memory->igvm_type)
			last->count += pages;
		else
			entries[count++] = (IgvmMemoryMapEntry){
				.page = page, .count = pages, .type = memory->igvm_type
			};
	}
	*out = (Bytes){ (const uint8_t *)entries, count * sizeof(*entries) };
	return true;
}

/* Low, then high: an absent window is 0 pages at 0. */
static bool build_mmio(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	const MemoryRange windows[] = { machine->in->mmio->low, machine->in->mmio->high };
	IgvmMmioRange *ranges = arena_array(arena, IgvmMmioRange, ARRAY_COUNT(windows), err);

	if (!ranges)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(windows); i++)
		ranges[i] = (IgvmMmioRange){ windows[i].start >> PAGE_SHIFT,
			memory_range_len(windows[i]) >> PAGE_SHIFT };
	*out = (Bytes){ (const uint8_t *)ranges, ARRAY_COUNT(windows) * sizeof(*ranges) };
	return true;
}

/*
 * Numbers, tables and text.
 */

static bool build_number(uint32_t value, Arena *arena, Bytes *out, Error *err)
{
	Bytes bytes = { .len = sizeof(value) };

	if (!arena_copy(arena, &value, sizeof(value), &bytes.data, err))
		return false;
	*out = bytes;
	return true;
}

static bool build_vp_count(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	return build_number((uint32_t)machine->in->topology->count, arena, out, err);
}

/* Bit 0 would say that memory is shared with the host from the start. */
static bool build_environment(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	(void)machine;
	return build_number(0, arena, out, err);
}

/* Tables tell of the whole machine, VTL2's memory too. */
static bool build_table(
	const IgvmMachine *machine, AcpiTableId id, Arena *arena, Bytes *out, Error *err)
{
	const BootInputs *in = machine->in;
	NodeRange *ram = arena_reserve_array(arena, NodeRange, machine->memory.count, err);
	AcpiInputs acpi;

	if (!ram || !boot_machine_acpi(in, machine->profile, arena, &acpi, err))
		return false;
	for (size_t i = 0; i < machine->memory.count; i++)
		ram[i] = (NodeRange){ machine->memory.items[i].range,
			machine->memory.items[i].vnode };
	acpi.ram = (NodeRangeList){ ram, machine->memory.count };
	if (in->info->arch == GUEST_ARCH_X86_64) {
		acpi.with_ioapic = true;
		acpi.pm_base = PM_BASE_PORT;
		acpi.acpi_irq = SCI_IRQ;
	}
	return acpi_build_table(id, &acpi, arena, out, err);
}

static bool build_srat(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	return build_table(machine, ACPI_SRAT, arena, out, err);
}

static bool build_madt(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	return build_table(machine, ACPI_MADT, arena, out, err);
}

static bool give_slit(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	(void)arena;
	(void)err;
	*out = machine->in->slit;
	return true;
}

static bool give_pptt(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	(void)arena;
	(void)err;
	*out = machine->in->pptt;
	return true;
}

static bool build_command_line(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	const Bytes line = machine->in->settings->linux_direct.command_line;
	char *text = arena_alloc(arena, line.len + 1, 1, err);

	if (!text)
		return false;
	if (line.len && memchr(line.data, 0, line.len)) {
		error_set(err, PVW_IGVM_0022, "a NUL inside of %zu bytes, expected text",
			line.len);
		return error_at(err, "settings.linux.command_line");
	}
	if (line.len)
		memcpy(text, line.data, line.len);
	*out = (Bytes){ (const uint8_t *)text, line.len + 1 };
	return true;
}

/*
 * The host's tree.
 */

static void add_claim(MmioClaim *items, size_t *count, MemoryRange range, uint8_t vtl,
	MmioRole role, const char *place)
{
	size_t at = *count;

	if (memory_range_is_empty(range))
		return;
	for (; at > 0 && items[at - 1].start > range.start; at--)
		items[at] = items[at - 1];
	items[at] =
		(MmioClaim){ range.start, memory_range_len(range), vtl, (uint32_t)role, place };
	(*count)++;
}

static bool list_claims(
	const ChipsetMmioRanges *mmio, Arena *arena, MmioClaimList *out, Error *err)
{
	MmioClaim *items = arena_reserve_array(
		arena, MmioClaim, 2 + mmio->vtl2.count + mmio->reserved.count, err);
	size_t count = 0;

	if (!items)
		return false;
	add_claim(items, &count, mmio->low, 0, MMIO_ROLE_CHIPSET_LOW, "chipset-low");
	add_claim(items, &count, mmio->high, 0, MMIO_ROLE_CHIPSET_HIGH, "chipset-high");
	for (size_t i = 0; i < mmio->reserved.count; i++)
		add_claim(items, &count, mmio->reserved.items[i], 0, MMIO_ROLE_RESERVED,
			"reserved");
	for (size_t i = 0; i < mmio->vtl2.count; i++)
		add_claim(items, &count, mmio->vtl2.items[i], 2, MMIO_ROLE_VTL2_PRIVATE,
			"vtl2-private");
	*out = (MmioClaimList){ items, count };
	return true;
}

static uint32_t vtl2_connection(const BootInputs *in)
{
	if (in->info->vtl2_bus.present)
		return in->info->vtl2_bus.connection_id;
	return in->settings->chipset.vmbus_redirection ? REDIRECTED_VMBUS_CONNECTION
						       : VTL2_VMBUS_CONNECTION;
}

static bool build_tree(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err)
{
	const BootInputs *in = machine->in;
	HostInfo info = {
		.arch = in->info->arch,
		.bsp_reg = in->info->bsp_reg,
		.cpus = in->info->cpus,
		.memory = machine->memory,
		.vmbus_vtl0 = { true, VMBUS_CONNECTION },
		.vmbus_vtl2 = { true, vtl2_connection(in) },
		.gic = in->info->gic,
		.allocation = in->info->allocation,
		.has_alias_map = in->info->has_alias_map,
		.alias_map = in->info->alias_map,
		.entropy = { in->entropy, sizeof(in->entropy) },
	};
	Bytes line;

	if (!list_claims(in->mmio, arena, &info.mmio, err) ||
		!build_command_line(machine, arena, &line, err))
		return false;
	info.bootargs = (const char *)line.data;
	return host_info_write(&info, arena, out, err) || error_wrap(err, "host tree");
}

static const struct {
	uint32_t type;
	bool (*build)(const IgvmMachine *machine, Arena *arena, Bytes *out, Error *err);
} builders[] = {
	{ IGVM_VP_COUNT, build_vp_count },
	{ IGVM_SRAT, build_srat },
	{ IGVM_MADT, build_madt },
	{ IGVM_MMIO_RANGES, build_mmio },
	{ IGVM_MEMORY_MAP, build_memory_map },
	{ IGVM_COMMAND_LINE, build_command_line },
	{ IGVM_SLIT, give_slit },
	{ IGVM_PPTT, give_pptt },
	{ IGVM_DEVICE_TREE, build_tree },
	{ IGVM_ENVIRONMENT, build_environment },
};

bool igvm_parameter_build(const IgvmMachine *machine, uint32_t type, Arena *arena, Bytes *out,
	Diagnostics *diagnostics, Error *err)
{
	size_t i = 0;

	while (i < ARRAY_COUNT(builders) && builders[i].type != type)
		i++;
	assert(i < ARRAY_COUNT(builders));
	if (!builders[i].build(machine, arena, out, err))
		return false;
	if (type == IGVM_SLIT && out->len == 0)
		diagnostics_add(diagnostics, PVW_IGVM_0033, "igvm",
			"slit is asked for and there is none, expected distances of the nodes");
	return true;
}
