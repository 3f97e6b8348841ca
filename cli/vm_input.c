/*
 * Documents of machines from files.
 */
#include "cli/vm_input.h"

#include "host/file.h"

bool vm_input_load(const char *path, VmWishes wishes, Arena *arena, LayoutView *out, Error *err)
{
	Vm *vm = arena_array(arena, Vm, 1, err);
	Bytes json;

	if (!vm || !file_read(path, VM_MAX_DOCUMENT, arena, &json, err) ||
		!vm_read(json, path, arena, vm, err))
		return false;
	if (wishes.layout_version)
		vm->layout.version = wishes.layout_version;
	if (wishes.address_bits)
		vm->layout.address_bits = wishes.address_bits;
	return layout_view_make(vm, arena, out, err);
}

bool vm_input_scale(const Invocation *invocation, SvgScale *out, Error *err)
{
	static const char *const names[] = { "log", "linear", NULL };
	static_assert(ARRAY_COUNT(names) == SVG_SCALE_COUNT + 1, "a name for each");
	size_t scale;

	if (!invocation_choice(invocation, "scale", names, SVG_LOG, &scale, err))
		return false;
	*out = (SvgScale)scale;
	return true;
}
