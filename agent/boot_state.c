/*
 * Registers of a plan.
 */
#include "agent/boot_state.h"

#include "support/diagnostics.h"

bool boot_state_take(const Pvw__V1__PlanResponse *plan, GuestArch arch, Arena *arena,
	RegisterList *out, Error *err)
{
	size_t count = 0, at = 0;
	Register *items;

	for (size_t i = 0; i < plan->n_registers; i++)
		count += plan->registers[i]->n_registers;
	items = arena_reserve_array(arena, Register, count, err);
	if (!items)
		return false;
	for (size_t i = 0; i < plan->n_registers; i++) {
		const Pvw__V1__RegisterSet *set = plan->registers[i];

		for (size_t r = 0; r < set->n_registers; r++) {
			const Pvw__V1__Register *from = set->registers[r];
			const RegisterId id = register_from_hypervisor(from->id, arch);

			if (id == REGISTER_COUNT)
				return error_set(err, PVW_AGENT_0006,
					"Plan: register 0x%x, expected one of %s", from->id,
					guest_arch_name(arch));
			items[at++] = (Register){ id, from->low, from->high };
		}
	}
	*out = (RegisterList){ items, count };
	return true;
}

/* The last one counts, as it does when they are set in order. */
const Register *boot_state_find(RegisterList registers, RegisterId id)
{
	for (size_t i = registers.count; i-- > 0;) {
		if (registers.items[i].id == id)
			return &registers.items[i];
	}
	return NULL;
}

uint64_t boot_state_value(RegisterList registers, RegisterId id)
{
	const Register *found = boot_state_find(registers, id);

	return found ? found->low : 0;
}

BootSegment boot_state_segment(RegisterList registers, RegisterId id)
{
	const Register *found = boot_state_find(registers, id);

	if (!found)
		return (BootSegment){ 0 };
	return (BootSegment){
		.base = found->low,
		.limit = (uint32_t)found->high,
		.selector = (uint16_t)(found->high >> 32),
		.attributes = (uint16_t)(found->high >> 48),
	};
}

BootTable boot_state_table(RegisterList registers, RegisterId id)
{
	const Register *found = boot_state_find(registers, id);

	if (!found)
		return (BootTable){ 0 };
	return (BootTable){ .base = found->high, .limit = (uint16_t)(found->low >> 48) };
}

bool boot_state_check(
	GuestArch arch, RegisterList registers, const Machine *machine, Error *err)
{
	static bool (*const checks[GUEST_ARCH_COUNT])(
		RegisterList registers, const Machine *machine, Error *err) = {
		[GUEST_ARCH_X86_64] = boot_state_check_x86,
		[GUEST_ARCH_AARCH64] = boot_state_check_arm64,
	};

	return checks[arch](registers, machine, err);
}
