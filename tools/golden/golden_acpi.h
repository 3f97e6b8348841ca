/*
 * What the areas dsdt, acpi_tables and linux_a64_dt read alike.
 */
#ifndef GOLDEN_GOLDEN_ACPI_H
#define GOLDEN_GOLDEN_ACPI_H

#include "acpi/acpi_inputs.h"
#include "golden.h"

/* A list of {"op": "add_…", …}, as devices of the DSDT. */
DsdtDeviceList golden_dsdt_devices(const json_t *ops, Arena *arena);

/**
 * golden_read_machine - the input of area acpi_tables, and of those that contain one
 * @topology: receives the processors; @in borrows them
 */
bool golden_read_machine(const json_t *input, Arena *arena, ProcessorTopology *topology,
	AcpiInputs *in, Error *err);

#endif
