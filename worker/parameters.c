/*
 * The parameter pages that the boot shim left in VTL2's memory.
 */
#include "worker/parameters.h"

#include <string.h>

#include "support/diagnostics.h"
#include "support/memory_range.h"

#define TABLE_PAGES 20 /* set aside for each table */
#define TABLE_MAX (TABLE_PAGES * PAGE_SIZE)
#define TABLE_HEADER_SIZE 36 /* [ACPI65] 5.2.6 */
#define LENGTH_OFFSET 4

static bool check_table(const char *signature, const uint8_t *table, size_t len, Error *err)
{
	uint8_t sum = 0;

	if (memcmp(table, signature, 4) != 0)
		return error_set(err, PVW_PARAM_0002,
			"signature %02x %02x %02x %02x, expected \"%s\"", table[0], table[1],
			table[2], table[3], signature);
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + table[i]);
	if (sum != 0)
		return error_set(err, PVW_PARAM_0003,
			"%s: the bytes add up to 0x%02x, expected 0", signature, sum);
	return true;
}

static bool read_table(const GuestMemory *memory, uint64_t gpa, const char *signature,
	Arena *arena, Bytes *out, Error *err)
{
	uint8_t header[TABLE_HEADER_SIZE];
	uint32_t len;
	uint8_t *table;

	if (!guest_memory_read(memory, gpa, header, sizeof(header), err))
		return error_wrap(err, "%s parameter", signature);
	memcpy(&len, header + LENGTH_OFFSET, sizeof(len));
	if (len == 0)
		return true;
	/* The host wrote it: bound it before allocating. */
	if (len < TABLE_HEADER_SIZE || len > TABLE_MAX)
		return error_set(err, PVW_PARAM_0001,
			"%s parameter of %u bytes, expected 0 or %d to %llu", signature, len,
			TABLE_HEADER_SIZE, (unsigned long long)TABLE_MAX);
	table = arena_array(arena, uint8_t, len, err);
	if (!table || !guest_memory_read(memory, gpa, table, len, err))
		return error_wrap(err, "%s parameter", signature);
	if (!check_table(signature, table, len, err))
		return error_wrap(err, "parameter page 0x%llx", (unsigned long long)gpa);
	*out = (Bytes){ table, len };
	return true;
}

bool parameters_read(
	const GuestMemory *memory, uint64_t gpa, Arena *arena, Parameters *out, Error *err)
{
	Parameters parameters = { 0 };

	if (!read_table(memory, gpa, "SLIT", arena, &parameters.slit, err) ||
		!read_table(memory, gpa + TABLE_MAX, "PPTT", arena, &parameters.pptt, err))
		return false;
	*out = parameters;
	return true;
}
