/*
 * The state that a plan gives its guest's processors, and whether a machine can be brought into
 * it. What a triple fault would hide is said here.
 */
#ifndef AGENT_BOOT_STATE_H
#define AGENT_BOOT_STATE_H

#include "agent/machine.h"
#include "loaders/registers.h"
#include "proto/worker.pb-c.h"

/* A segment register as the hypervisor has it. */
typedef struct BootSegment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector, attributes;
} BootSegment;

/* GDTR, IDTR. */
typedef struct BootTable {
	uint64_t base;
	uint16_t limit;
} BootTable;

/**
 * boot_state_take - the registers of a plan, all sets in one list
 * @out: lives in @arena
 *
 * Errors: PVW_AGENT_0006 (BAD_VALUE) a register that the architecture does not have.
 */
MUST_CHECK bool boot_state_take(const Pvw__V1__PlanResponse *plan, GuestArch arch, Arena *arena,
	RegisterList *out, Error *err);

/** boot_state_find - NULL if the plan does not say */
const Register *boot_state_find(RegisterList registers, RegisterId id);

/** boot_state_value - of a plain register; 0 if the plan does not say */
uint64_t boot_state_value(RegisterList registers, RegisterId id);

BootSegment boot_state_segment(RegisterList registers, RegisterId id);
BootTable boot_state_table(RegisterList registers, RegisterId id);

/**
 * boot_state_check - is this a state that a ROM can bring a machine into, and a kernel can run in?
 * @machine: its memory, filled
 *
 * x86-64: long mode with paging; the tables map the ROM, the entry, the zero page and the command
 * line to themselves; every selector names a descriptor of the state's base and attributes, and
 * CS is 64-bit code.
 * aarch64: EL1 with interrupts masked and the MMU off; something at the entry; X0 leads to a
 * device tree.
 *
 * Errors: PVW_AGENT_0010 (BAD_VALUE), PVW_AGENT_0001 (IO).
 */
MUST_CHECK bool boot_state_check(
	GuestArch arch, RegisterList registers, const Machine *machine, Error *err);

/* One for each architecture. */
MUST_CHECK bool boot_state_check_x86(
	RegisterList registers, const Machine *machine, Error *err);
MUST_CHECK bool boot_state_check_arm64(
	RegisterList registers, const Machine *machine, Error *err);

#endif
