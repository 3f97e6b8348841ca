/*
 * smbios: the structure table and the anchor that points to it.
 */
#include "golden_smbios.h"

#include <string.h>

/* A JSON string may hold NULs; what stands behind one is for the code under test to judge. */
static Bytes text(const json_t *input, const char *name)
{
	const json_t *value = golden_member(input, name);

	if (!json_is_string(value))
		golden_malformed("\"%s\" is not a string", name);
	return (Bytes){ (const uint8_t *)json_string_value(value), json_string_length(value) };
}

static uint8_t byte(const json_t *input, const char *name)
{
	const uint64_t value = golden_u64(input, name);

	if (value > UINT8_MAX)
		golden_malformed("\"%s\" is not a byte", name);
	return (uint8_t)value;
}

SmbiosInputs golden_smbios_inputs(const json_t *input, Arena *arena)
{
	const Bytes uuid = golden_hex(input, "uuid", arena);
	SmbiosInputs in = {
		.bios_vendor = text(input, "bios_vendor"),
		.bios_version = text(input, "bios_version"),
		.bios_release_date = text(input, "bios_release_date"),
		.bios_major = byte(input, "bios_major"),
		.bios_minor = byte(input, "bios_minor"),
		.manufacturer = text(input, "manufacturer"),
		.product = text(input, "product_name"),
		.version = text(input, "version"),
		.serial_number = text(input, "serial_number"),
		.sku_number = text(input, "sku_number"),
		.family = text(input, "family"),
	};

	if (uuid.len != sizeof(in.uuid.bytes))
		golden_malformed("\"uuid\" is not 16 bytes");
	memcpy(in.uuid.bytes, uuid.data, uuid.len);
	return in;
}

bool golden_run_smbios(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const SmbiosInputs in = golden_smbios_inputs(input, arena);
	SmbiosAnchor anchor;
	Bytes table;

	if (!smbios_build_table(&in, arena, &table, err))
		return false;
	anchor = smbios_anchor(golden_u64(input, "table_gpa"), table.len);
	*output = json_pack("{s: o, s: o}", "entry_point",
		golden_json_hex((Bytes){ (const uint8_t *)&anchor, sizeof(anchor) }),
		"structure_table", golden_json_hex(table));
	return true;
}
