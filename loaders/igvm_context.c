/*
 * VP contexts, register by register.
 * Source: [IGVM] igvm/src/registers.rs; [TLFS] 7.9.4
 */
#include "loaders/igvm_context.h"

#include <inttypes.h>

#include "support/diagnostics.h"

/* Segments and tables fill 16 bytes, everything else 8. */
static bool is_wide(RegisterId id)
{
	return id >= REGISTER_ES && id <= REGISTER_GDTR;
}

static bool take_register(const MeasuredRegister *from, GuestArch arch, int vtl,
	bool seen[REGISTER_COUNT], Register *out, Error *err)
{
	const RegisterId id = register_from_hypervisor(from->name, arch);

	if (id == REGISTER_COUNT)
		return error_set(err, PVW_IGVM_0014,
			"register 0x%" PRIx32 ", expected one that is known on %s", from->name,
			guest_arch_name(arch));
	if (vtl != IGVM_ANY_VTL && from->vtl != vtl)
		return error_set(err, PVW_IGVM_0016, "%s of VTL%u, expected VTL%d",
			register_row(id)->name, from->vtl, vtl);
	if (seen[id] && vtl != IGVM_ANY_VTL)
		return error_set(
			err, PVW_IGVM_0015, "%s twice, expected once", register_row(id)->name);
	if (from->high && !is_wide(id))
		return error_set(err, PVW_IGVM_0015,
			"%s is 0x%" PRIx64 "%016" PRIx64 ", expected 64 bits",
			register_row(id)->name, from->high, from->low);
	seen[id] = true;
	*out = (Register){ id, from->low, from->high };
	return true;
}

bool igvm_context_registers(MeasuredRegisterList list, GuestArch arch, int vtl, Arena *arena,
	RegisterList *out, Error *err)
{
	Register *items = arena_array(arena, Register, list.count, err);
	bool seen[REGISTER_COUNT] = { false };

	if (!items)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		if (!take_register(&list.items[i], arch, vtl, seen, &items[i], err))
			return error_wrap(err, "vp context");
	}
	*out = (RegisterList){ items, list.count };
	return true;
}
