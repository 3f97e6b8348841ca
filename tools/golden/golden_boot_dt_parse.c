/*
 * boot_dt_parse: what the worker reads from its boot tree.
 */
#include "bootinfo/boot_info_parse.h"
#include "golden.h"

static json_t *optional_u64(bool has, uint64_t value)
{
	return has ? golden_json_u64(value) : json_null();
}

static json_t *times_json(const BootTimes *times)
{
	if (times->malformed)
		return json_pack("{s: s}", "error", times->malformed);
	return json_pack("{s: o, s: o, s: o, s: o}", "start",
		optional_u64(times->has_start, times->start), "end",
		optional_u64(times->has_end, times->end), "sidecar_start",
		optional_u64(times->has_sidecar_start, times->sidecar_start), "sidecar_end",
		optional_u64(times->has_sidecar_end, times->sidecar_end));
}

static json_t *cpus_json(CpuList cpus)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cpus.count; i++)
		json_array_append_new(list,
			json_pack("{s: o, s: I}", "reg", golden_json_u64(cpus.items[i].reg),
				"vnode", (json_int_t)cpus.items[i].vnode));
	return list;
}

static json_t *node_ranges_json(NodeRangeList ranges)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ranges.count; i++)
		json_array_append_new(list,
			json_pack("{s: o, s: o, s: I}", "start",
				golden_json_u64(ranges.items[i].range.start), "end",
				golden_json_u64(ranges.items[i].range.end), "vnode",
				(json_int_t)ranges.items[i].vnode));
	return list;
}

static json_t *ranges_json(MemoryRangeList ranges)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ranges.count; i++)
		json_array_append_new(list, golden_json_range(ranges.items[i]));
	return list;
}

static json_t *entry_json(const MapEntry *entry)
{
	return json_pack("{s: s, s: o, s: o, s: I, s: i, s: i}", "kind", "memory", "start",
		golden_json_u64(entry->range.start), "end", golden_json_u64(entry->range.end),
		"vnode", (json_int_t)entry->vnode, "vtl_usage", (int)entry->type, "igvm_type",
		(int)entry->igvm_type);
}

static json_t *claim_json(const MmioClaim *claim)
{
	return json_pack("{s: s, s: o, s: o, s: i}", "kind", "mmio", "start",
		golden_json_u64(claim->start), "end",
		golden_json_u64(claim->start + claim->len), "vtl", (int)claim->vtl);
}

/* The reference keeps RAM and MMIO in one list. */
static json_t *map_json(const BootInfo *info)
{
	json_t *list = json_array();
	size_t ram = 0, mmio = 0;

	while (ram < info->map.count || mmio < info->mmio.count) {
		const bool take_ram = mmio == info->mmio.count ||
			(ram < info->map.count &&
				info->map.items[ram].range.start <=
					info->mmio.items[mmio].start);

		json_array_append_new(list,
			take_ram ? entry_json(&info->map.items[ram++])
				 : claim_json(&info->mmio.items[mmio++]));
	}
	return list;
}

static json_t *vtl0_mmio_json(MmioClaimList mmio)
{
	json_t *list = json_array();

	for (size_t i = 0; i < mmio.count; i++) {
		const MmioClaim *claim = &mmio.items[i];

		if (claim->vtl == 0)
			json_array_append_new(list,
				golden_json_range((MemoryRange){
					claim->start, claim->start + claim->len }));
	}
	return list;
}

static json_t *allocation_json(const AllocationMode *mode)
{
	if (!mode->vtl2)
		return json_pack("{s: s}", "mode", "host");
	return json_pack("{s: s, s: o, s: o}", "mode", "vtl2", "memory_size",
		optional_u64(mode->has_memory_size, mode->memory_size), "mmio_size",
		optional_u64(mode->has_mmio_size, mode->mmio_size));
}

static json_t *gic_json(const BootGic *gic)
{
	if (!gic->present)
		return json_null();
	return json_pack("{s: o, s: o, s: o, s: i, s: i}", "gic_distributor_base",
		golden_json_u64(gic->distributor_base), "gic_redistributors_base",
		golden_json_u64(gic->redistributor_base), "pmu_gsiv",
		gic->pmu_gsiv ? json_integer(gic->pmu_gsiv) : json_null(), "virt_timer_ppi",
		(int)gic->virt_timer_ppi, "gic_nr_irqs", (int)gic->irq_count);
}

static json_t *info_json(const BootInfo *info)
{
	static const char *const isolation[ISOLATION_COUNT] = { "none", "vbs", "snp", "tdx" };
	json_t *json =
		json_pack("{s: o, s: o, s: o, s: o, s: o, s: o}", "cpus", cpus_json(info->cpus),
			"vtl0_alias_map", optional_u64(info->has_alias_map, info->alias_map),
			"vtl2_memory", node_ranges_json(info->vtl2_ram), "partition_memory_map",
			map_json(info), "vtl0_mmio", vtl0_mmio_json(info->mmio),
			"config_ranges", ranges_json(info->config));

	json_object_update_new(json,
		json_pack("{s: o, s: o, s: o, s: o, s: o, s: s, s: o, s: o}",
			"vtl2_reserved_range", golden_json_range(info->reserved),
			"vtl2_persisted_header", golden_json_range(info->persisted_header),
			"vtl2_persisted_protobuf_region",
			golden_json_range(info->persisted_protobuf), "accepted_ranges",
			ranges_json(info->accepted), "memory_allocation_mode",
			allocation_json(&info->allocation), "isolation",
			isolation[info->isolation], "private_pool_ranges",
			node_ranges_json(info->pool), "gic", gic_json(&info->gic)));
	return json;
}

bool golden_run_boot_dt_parse(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	BootInfo info;

	/* The reader is the same for both architectures. */
	if (!boot_info_parse(
		    GUEST_ARCH_X86_64, golden_hex(input, "dtb", arena), arena, &info, err))
		return false;
	*output = json_pack("{s: o, s: o}", "boot_times", times_json(&info.times), "info",
		info_json(&info));
	return true;
}
