/*
 * pvw boot-tree: what a described machine's host, or its boot shim, would say of it.
 */
#include "bootinfo/host_info_write.h"
#include "cli/commands.h"
#include "host/file.h"
#include "host/vm_boot_info.h"
#include "host/vm_machine.h"

static bool make_tree(
	const Invocation *invocation, const char *path, Arena *arena, Bytes *out, Error *err)
{
	ProcessorTopology topology;
	ResolvedLayout layout;
	HostInfo host;
	BootInfo boot;
	Bytes json;
	Vm vm;

	if (!file_read(path, VM_MAX_DOCUMENT, arena, &json, err) ||
		!vm_read(json, path, arena, &vm, err) ||
		!vm_resolve(&vm, arena, &layout, err) ||
		!vm_topology(&vm, arena, &topology, err))
		return false;
	if (invocation_has(invocation, "host"))
		return vm_host_info(&vm, &layout, &topology, arena, &host, err) &&
			host_info_write(&host, arena, out, err);
	return vm_boot_info(&vm, &layout, &topology, arena, &boot, err) &&
		boot_info_write(&boot, NULL, arena, out, err);
}

ExitStatus command_boot_tree(const Invocation *invocation)
{
	const char *path = invocation_operand(invocation, 0);
	Arena *arena = arena_new(VM_ARENA_LIMIT);
	Bytes tree;
	Error err;
	bool ok;

	if (!arena) {
		error_set(&err, PVW_MEM_0001, "no memory");
		return report_error(invocation, &err);
	}
	ok = make_tree(invocation, path, arena, &tree, &err) &&
		file_write(invocation_value(invocation, "output"), tree, &err);
	arena_free(arena);
	return ok ? STATUS_DONE : report_error(invocation, &err);
}
