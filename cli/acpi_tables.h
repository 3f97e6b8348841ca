/*
 * The ACPI tables of whatever a command is given: a plan, a described machine, files.
 */
#ifndef CLI_ACPI_TABLES_H
#define CLI_ACPI_TABLES_H

#include "cli/view.h"
#include "host/acpi_text.h"

/* Bytes a file of tables, or a folder's file, may have. */
#define ACPI_TABLES_MAX_FILE ((size_t)64 * 1024 * 1024)

/* One table and where it was found. */
typedef struct FoundTable {
	AcpiTable table;
	const char *source; /* artifact or file */
} FoundTable;

/* Grows in its arena. */
typedef struct FoundTables {
	FoundTable *items;
	size_t count, capacity;
} FoundTables;

/**
 * acpi_tables_add - the tables that @bytes are: one, several behind each other, or a UEFI blob
 *
 * A table that is there already, byte for byte, is not taken again.
 *
 * Errors: those of acpi_text_split and uefi_text.
 */
MUST_CHECK bool acpi_tables_add(FoundTables *tables, const char *source, Bytes bytes,
	uint64_t gpa, Arena *arena, Error *err);

/** acpi_tables_of_plan - of all artifacts of a plan; a worker may keep some to itself */
MUST_CHECK bool acpi_tables_of_plan(
	const Invocation *invocation, View *view, FoundTables *out, Error *err);

/**
 * acpi_tables_of_vm - of a VM description, as its own VMM would build them
 * @path: of the document
 *
 * The block lies where a direct boot has it. Errors: those of file_read, vm_read, vm_resolve,
 * vm_topology, vm_acpi_inputs and acpi_build_set.
 */
MUST_CHECK bool acpi_tables_of_vm(const Invocation *invocation, const char *path, Arena *arena,
	FoundTables *out, Error *err);

#endif
