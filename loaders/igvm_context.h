/*
 * VP contexts: the hypervisor's names of registers -> our registers.
 */
#ifndef LOADERS_IGVM_CONTEXT_H
#define LOADERS_IGVM_CONTEXT_H

#include "bootinfo/measured.h"
#include "loaders/registers.h"

/**
 * igvm_context_registers - a VP context as registers, in its order
 * @vtl: that all of them must belong to, or IGVM_ANY_VTL: then the last value of one counts, too
 * @out: lives in @arena
 *
 * Errors: PVW_IGVM_0014 (UNSUPPORTED) a register that is not known, _0015 (BAD_VALUE) a register
 * twice, or a value too wide for it, _0016 (UNSUPPORTED) another level's.
 */
MUST_CHECK bool igvm_context_registers(MeasuredRegisterList list, GuestArch arch, int vtl,
	Arena *arena, RegisterList *out, Error *err);

#define IGVM_ANY_VTL (-1)

#endif
