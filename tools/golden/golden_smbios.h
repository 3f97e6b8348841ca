/*
 * An SMBIOS identity as cases state it; more than one area has it.
 */
#ifndef GOLDEN_SMBIOS_H
#define GOLDEN_SMBIOS_H

#include "golden.h"
#include "loaders/smbios.h"

SmbiosInputs golden_smbios_inputs(const json_t *input, Arena *arena);

#endif
