/*
 * Documents of machines from files.
 */
#include "cli/vm_input.h"

#include "host/file.h"

bool vm_input_kept(const char *path, Arena *arena, KeptLayout *out, Error *err)
{
	Bytes json;

	return file_read(path, LAYOUT_VIEW_MAX_DOCUMENT, arena, &json, err) &&
		layout_kept_read(json, path, arena, out, err);
}

bool vm_input_load(const char *path, VmWishes wishes, Arena *arena, LayoutView *out, Error *err)
{
	Vm *vm = arena_array(arena, Vm, 1, err);
	KeptLayout kept;
	Bytes json;

	if (!vm || !file_read(path, VM_MAX_DOCUMENT, arena, &json, err) ||
		!vm_read(json, path, arena, vm, err))
		return false;
	if (wishes.address_bits)
		vm->layout.address_bits = wishes.address_bits;
	if (wishes.pin) {
		if (!vm_input_kept(wishes.pin, arena, &kept, err))
			return false;
		vm->layout.version = kept.version;
	}
	if (wishes.layout_version)
		vm->layout.version = wishes.layout_version;
	if (layout_view_make(vm, wishes.pin ? &kept : NULL, arena, out, err))
		return true;
	return error_at(err, err->diagnostic == PVW_RESOLVE_0019 ? wishes.pin : path);
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
