/*
 * The machine that a kernel without firmware is told of, aarch64: what the boot tree says, what
 * the platform has, and what the settings say instead.
 */
#ifndef LOADERS_LINUX_ARM64_MACHINE_H
#define LOADERS_LINUX_ARM64_MACHINE_H

#include "loaders/boot_path.h"

#define ARM64_UARTS_MAX 2

typedef struct Arm64Machine {
	ProcessorTopology topology; /* the boot tree's, with the GIC in effect */
	ArmTimers timers;           /* all in effect; 0 = not told of */
	PsciConduit psci;
	ArmUart uarts[ARM64_UARTS_MAX];
	uint8_t uart_numbers[ARM64_UARTS_MAX]; /* 0 = com1, 1 = com2 */
	size_t uart_count;
	bool has_distances;
	AcpiDistances distances; /* of the host's SLIT */
	bool with_hypervisor;    /* Hyper-V's identity, and VMBus */
} Arm64Machine;

/* com1 and com2 where Hyper-V has them. */
extern const ArmUart arm64_platform_uarts[ARM64_UARTS_MAX];

/**
 * arm64_machine_resolve - decide what there is
 * @out: lists live in @arena
 *
 * Warnings: PVW_ARM64_0019 a device of the boot tree or the platform in RAM.
 * Errors: PVW_ARM64_0009 (OVERLAP) areas of the GIC, _0010 (BAD_VALUE) interrupts, _0015 (OVERLAP)
 * a device in RAM or over another one, _0016 (BAD_VALUE) what there cannot be, _0017
 * (BAD_VALUE) the SLIT.
 */
MUST_CHECK bool arm64_machine_resolve(const BootInputs *in, Arena *arena, Arm64Machine *out,
	Diagnostics *diagnostics, Error *err);

#endif
