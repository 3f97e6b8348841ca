/*
 * Areas tree_circle_x86_64 and tree_circle_aarch64: a machine's windows, laid out, said in both of
 * its trees, and read again. Input: that of resolve_layout_*. Output: the windows by role, as each
 * tree has them.
 */
#include "golden_layout.h"

#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "bootinfo/boot_map.h"
#include "bootinfo/host_info_parse.h"
#include "bootinfo/host_info_write.h"
#include "host/vm_boot_info.h"
#include "host/vm_machine.h"
#include "layout/chipset_mmio.h"

#define PROCESSORS 4

/* The rest of the machine: whatever a description has that says nothing of it. */
static bool read_vm(const json_t *input, GuestArch arch, Arena *arena, Vm *out, Error *err)
{
	const char *json = arena_printf(arena, err,
		"{\"schema\": \"" VM_SCHEMA "\", \"arch\": \"%s\", \"memory\": \"1GiB\"}",
		guest_arch_name(arch));

	if (!json ||
		!vm_read((Bytes){ (const uint8_t *)json, strlen(json) }, "vm", arena, out, err))
		return false;
	out->layout = golden_layout_shape(input, arch, arena);
	out->processors.count = PROCESSORS;
	return true;
}

static bool write_windows(
	MmioClaimList claims, MapEntryList map, Arena *arena, json_t **out, Error *err)
{
	ChipsetMmioRanges mmio;
	json_t *vtl2;

	if (!chipset_mmio_resolve(claims, map, arena, &mmio, err))
		return false;
	vtl2 = json_array();
	for (size_t i = 0; i < mmio.vtl2.count; i++)
		json_array_append_new(vtl2, golden_json_range(mmio.vtl2.items[i]));
	*out = json_pack("{s: o, s: s, s: o, s: s, s: o}", "low", golden_json_range(mmio.low),
		"low_source", role_source_name(mmio.low_source), "high",
		golden_json_range(mmio.high), "high_source", role_source_name(mmio.high_source),
		"vtl2", vtl2);
	return true;
}

static bool pass_boot_tree(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, json_t **out, Error *err)
{
	BootInfo said, read;
	Bytes tree;

	return vm_boot_info(vm, layout, topology, arena, &said, err) &&
		boot_info_write(&said, NULL, arena, &tree, err) &&
		boot_info_parse(vm->layout.arch, tree, arena, &read, err) &&
		boot_info_validate(&read, arena, NULL, err) &&
		write_windows(read.mmio, read.map, arena, out, err);
}

static bool pass_host_tree(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, json_t **out, Error *err)
{
	HostInfo said, read;
	MapEntryList map;
	Bytes tree;

	return vm_host_info(vm, layout, topology, arena, &said, err) &&
		host_info_write(&said, arena, &tree, err) &&
		host_info_parse(vm->layout.arch, tree, arena, &read, err) &&
		boot_map_compose(read.memory, (Vtl2UseList){ NULL, 0 }, arena, &map, err) &&
		write_windows(read.mmio, map, arena, out, err);
}

static bool run(GuestArch arch, const json_t *input, Arena *arena, json_t **output, Error *err)
{
	ProcessorTopology topology;
	ResolvedLayout layout;
	json_t *boot, *host;
	Vm vm;

	if (!read_vm(input, arch, arena, &vm, err) || !vm_resolve(&vm, arena, &layout, err) ||
		!vm_topology(&vm, arena, &topology, err) ||
		!pass_boot_tree(&vm, &layout, &topology, arena, &boot, err))
		return false;
	if (!pass_host_tree(&vm, &layout, &topology, arena, &host, err)) {
		json_decref(boot);
		return false;
	}
	*output = json_pack("{s: o, s: o}", "boot", boot, "host", host);
	return true;
}

bool golden_run_tree_circle_x86_64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_X86_64, input, arena, output, err);
}

bool golden_run_tree_circle_aarch64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_AARCH64, input, arena, output, err);
}
