/*
 * A processor of aarch64 as kernels want to be entered: EL1, MMU off, the tree in X0.
 * Source: [LINUXARM64] 4; [DT04] 5.2 header
 */
#include "agent/boot_state.h"

#include <inttypes.h>

#include "support/checked.h"
#include "support/diagnostics.h"

#define SPSR_MODE UINT64_C(0x1f) /* of execution: EL and stack */
#define SPSR_EL1H UINT64_C(0x05)
#define SPSR_MASKS UINT64_C(0x3c0) /* D, A, I, F */

#define SCTLR_MMU UINT64_C(0x1)
#define SCTLR_BIG_ENDIAN UINT64_C(0x02000000) /* EE */

#define TREE_MAGIC 0xd00dfeedu
#define TREE_ALIGN 8
#define TREE_MAX 0x200000u /* [LINUXARM64] 2 */

static bool check_bits(RegisterList registers, RegisterId id, uint64_t mask, uint64_t expected,
	const char *what, Error *err)
{
	const uint64_t value = boot_state_value(registers, id);

	return (value & mask) == expected ||
		error_set(err, PVW_AGENT_0010,
			"%s 0x%" PRIx64 ", expected 0x%" PRIx64 " in 0x%" PRIx64 ": %s",
			register_row(id)->name, value, expected, mask, what);
}

static bool check_mode(RegisterList registers, Error *err)
{
	return check_bits(registers, REGISTER_CPSR, SPSR_MODE, SPSR_EL1H,
		       "el1 with a stack of its own", err) &&
		check_bits(registers, REGISTER_CPSR, SPSR_MASKS, SPSR_MASKS, "no interrupts",
			err) &&
		check_bits(registers, REGISTER_SCTLR_EL1, SCTLR_MMU, 0, "mmu off", err) &&
		check_bits(registers, REGISTER_SCTLR_EL1, SCTLR_BIG_ENDIAN, 0, "little-endian",
			err);
}

/* Memory of zeros would be an exception without a handler, and silence. */
static bool check_entry(RegisterList registers, const Machine *machine, Error *err)
{
	const uint64_t entry = boot_state_value(registers, REGISTER_PC);
	uint32_t instruction;

	if (!is_aligned(entry, sizeof(instruction)))
		return error_set(err, PVW_AGENT_0010,
			"the entry 0x%" PRIx64 ", expected a multiple of 4", entry);
	if (!machine_read(machine, "the entry", entry, &instruction, sizeof(instruction), err))
		return false;
	return instruction != 0 ||
		error_set(err, PVW_AGENT_0010,
			"zeros at the entry 0x%" PRIx64 ", expected an instruction", entry);
}

static bool check_tree(RegisterList registers, const Machine *machine, Error *err)
{
	const uint64_t tree = boot_state_value(registers, REGISTER_X0);
	uint32_t head[2], magic, len;
	uint8_t last;

	if (!is_aligned(tree, TREE_ALIGN))
		return error_set(err, PVW_AGENT_0010,
			"the device tree at 0x%" PRIx64 ", expected a multiple of %d", tree,
			TREE_ALIGN);
	if (!machine_read(machine, "the device tree", tree, head, sizeof(head), err))
		return false;
	magic = __builtin_bswap32(head[0]);
	len = __builtin_bswap32(head[1]);
	if (magic != TREE_MAGIC || len < sizeof(head) || len > TREE_MAX)
		return error_set(err, PVW_AGENT_0010,
			"the device tree at 0x%" PRIx64 " begins with 0x%x and has 0x%x bytes, "
			"expected 0x%x and at most 0x%x",
			tree, magic, len, TREE_MAGIC, TREE_MAX);
	return machine_read(
		machine, "the device tree's end", tree + len - 1, &last, sizeof(last), err);
}

bool boot_state_check_arm64(RegisterList registers, const Machine *machine, Error *err)
{
	return check_mode(registers, err) && check_entry(registers, machine, err) &&
		check_tree(registers, machine, err);
}
