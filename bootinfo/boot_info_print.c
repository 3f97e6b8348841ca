/*
 * BootInfo as stable text.
 */
#include "bootinfo/boot_info_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "support/byte_writer.h"

#define FIXED_BYTES 4096 /* more than all lines that are written once */
#define LINE_BYTES 160   /* more than any line has, but for the place of a claim */

static void put_line(ByteWriter *w, const char *format, ...) PRINTF_LIKE(2, 3);

static void put_line(ByteWriter *w, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	put_bytes(w, line, strlen(line));
	put_u8(w, '\n');
}

static void put_range(ByteWriter *w, const char *name, MemoryRange range)
{
	if (!memory_range_is_empty(range))
		put_line(w, "%s " RANGE_FORMAT, name, RANGE_ARGS(range));
}

static void put_ranges(ByteWriter *w, const char *name, MemoryRangeList list)
{
	for (size_t i = 0; i < list.count; i++)
		put_range(w, name, list.items[i]);
}

static void put_node_ranges(ByteWriter *w, const char *name, NodeRangeList list)
{
	for (size_t i = 0; i < list.count; i++)
		put_line(w, "%s " RANGE_FORMAT " node %" PRIu32, name,
			RANGE_ARGS(list.items[i].range), list.items[i].vnode);
}

static void put_u64_if(ByteWriter *w, const char *name, bool has, uint64_t value)
{
	if (has)
		put_line(w, "%s %" PRIu64, name, value);
}

static void put_lists(ByteWriter *w, const BootInfo *info)
{
	for (size_t i = 0; i < info->cpus.count; i++)
		put_line(w, "cpu %zu reg 0x%" PRIx64 " node %" PRIu32, i,
			info->cpus.items[i].reg, info->cpus.items[i].vnode);
	put_node_ranges(w, "vtl2-ram", info->vtl2_ram);
	for (size_t i = 0; i < info->map.count; i++) {
		const MapEntry *entry = &info->map.items[i];

		put_line(w, "map " RANGE_FORMAT " type %d igvm %d node %" PRIu32 " (%s)",
			RANGE_ARGS(entry->range), (int)entry->type, (int)entry->igvm_type,
			entry->vnode, boot_info_memory_type_name(entry->type));
	}
	for (size_t i = 0; i < info->mmio.count; i++) {
		const MmioClaim *claim = &info->mmio.items[i];

		put_line(w,
			"mmio 0x%" PRIx64 " len 0x%" PRIx64 " vtl %d role %" PRIu32 " (%.64s)",
			claim->start, claim->len, (int)claim->vtl, claim->role,
			claim->place ? claim->place : "");
	}
	put_ranges(w, "config", info->config);
	put_node_ranges(w, "pool", info->pool);
	put_ranges(w, "accepted", info->accepted);
}

static void put_gic(ByteWriter *w, const BootGic *gic)
{
	if (!gic->present)
		return;
	put_line(w, "gic distributor 0x%" PRIx64 " len 0x%" PRIx64, gic->distributor_base,
		gic->distributor_size);
	put_line(w, "gic redistributors 0x%" PRIx64 " len 0x%" PRIx64 " stride 0x%" PRIx64,
		gic->redistributor_base, gic->redistributor_size, gic->redistributor_stride);
	put_line(w, "gic pmu %" PRIu32 " timer %" PRIu32 " irqs %" PRIu32, gic->pmu_gsiv,
		gic->virt_timer_ppi, gic->irq_count);
}

static void put_bus(ByteWriter *w, const Vtl2Bus *bus)
{
	if (!bus->present)
		return;
	put_line(w, "vtl2-bus connection 0x%" PRIx32, bus->connection_id);
	put_ranges(w, "vtl2-bus-window", bus->ranges);
}

static void put_info(ByteWriter *w, const BootInfo *info)
{
	const AllocationMode *mode = &info->allocation;
	const BootTimes *times = &info->times;

	put_line(w, "arch %s", guest_arch_name(info->arch));
	put_line(w, "openhcl %s", info->has_openhcl ? "present" : "absent");
	put_line(w, "isolation %s", boot_info_isolation_name(info->isolation));
	put_line(w, "bsp-reg 0x%" PRIx32, info->bsp_reg);
	put_line(w, "allocation %s", mode->vtl2 ? "vtl2" : "host");
	put_u64_if(w, "allocation-memory-bytes", mode->has_memory_size, mode->memory_size);
	put_u64_if(w, "allocation-mmio-bytes", mode->has_mmio_size, mode->mmio_size);
	if (info->has_alias_map)
		put_line(w, "alias-map 0x%" PRIx64, info->alias_map);
	put_u64_if(w, "boot-start-100ns", times->has_start, times->start);
	put_u64_if(w, "boot-end-100ns", times->has_end, times->end);
	put_u64_if(w, "sidecar-start-100ns", times->has_sidecar_start, times->sidecar_start);
	put_u64_if(w, "sidecar-end-100ns", times->has_sidecar_end, times->sidecar_end);
	put_gic(w, &info->gic);
	put_bus(w, &info->vtl2_bus);
	put_lists(w, info);
	put_range(w, "reserved", info->reserved);
	put_range(w, "log-buffer", info->log_buffer);
	put_range(w, "persisted-header", info->persisted_header);
	put_range(w, "persisted-state", info->persisted_protobuf);
}

bool boot_info_print(const BootInfo *info, Arena *arena, Bytes *out, Error *err)
{
	const size_t lines = info->cpus.count + info->vtl2_ram.count + info->map.count +
		info->mmio.count + info->config.count + info->pool.count +
		info->accepted.count + info->vtl2_bus.ranges.count;
	ByteWriter w;

	if (!byte_writer_in_arena(arena, FIXED_BYTES + LINE_BYTES * lines, &w, err))
		return false;
	put_info(&w, info);
	return byte_writer_finish(&w, "boot info", out, err);
}
