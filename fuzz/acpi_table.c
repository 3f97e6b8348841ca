/*
 * An ACPI table as a host hands it over: judged for the guest, decoded for people, disassembled.
 */
#include "fuzz/fuzz.h"
#include "host/acpi_text.h"
#include "host/aml_text.h"
#include "loaders/uefi_acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)64 * 1024 * 1024);
	const Bytes bytes = { data, size };
	Diagnostics findings;
	AcpiText text;
	Bytes table, asl;
	Error err = { 0 };

	FUZZ_ASSERT(diagnostics_init(&findings, 16, arena, &err));
	if (uefi_acpi_check(bytes, "table", &table, &err))
		FUZZ_ASSERT(table.len <= size);
	else
		fuzz_failed(&err);
	if (!acpi_text(bytes, arena, &text, &findings, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	for (size_t i = 0; i < text.count; i++)
		FUZZ_ASSERT(text.lines[i].name && text.lines[i].value && text.lines[i].note);
	if (text.is_aml && !aml_text(bytes, arena, &asl, &err))
		fuzz_failed(&err);
	return 0;
}
