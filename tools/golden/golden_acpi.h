/*
 * What the areas dsdt and acpi_tables read alike.
 */
#ifndef GOLDEN_GOLDEN_ACPI_H
#define GOLDEN_GOLDEN_ACPI_H

#include "acpi/acpi_inputs.h"
#include "golden.h"

/* A list of {"op": "add_…", …}, as devices of the DSDT. */
DsdtDeviceList golden_dsdt_devices(const json_t *ops, Arena *arena);

#endif
