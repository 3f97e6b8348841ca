/*
 * What a host may ask of an isolated guest: the use of the table.
 * [OVMM] openhcl/underhill_core/src/worker.rs, validate_isolated_configuration
 */
#include "bootinfo/settings_policy.h"

#include <inttypes.h>
#include <string.h>

#include "support/diagnostics.h"

static const char *const policy_names[] = {
	[SETTING_ATTESTED] = "attested",
	[SETTING_CLAMP] = "clamp",
	[SETTING_REFUSE] = "refuse",
	[SETTING_IGNORE] = "ignore",
	[SETTING_HARMLESS] = "harmless",
};
static_assert(ARRAY_COUNT(policy_names) == SETTING_POLICY_COUNT, "one name a policy");

static const char *const boot_devices[] = { "floppy", "optical", "hard_drive", "network" };
static_assert(ARRAY_COUNT(boot_devices) == PCAT_BOOT_DEVICE_COUNT, "one name a device");

static const void *field_of(const SettingRow *row, const PlatformSettings *settings)
{
	return (const uint8_t *)settings + row->offset;
}

const char *settings_policy_name(SettingPolicy policy)
{
	return policy < SETTING_POLICY_COUNT ? policy_names[policy] : "unknown";
}

const SettingRow *settings_policy_find(const char *path)
{
	static const char prefix[] = "settings.";
	const SettingRowList rows = settings_policy_rows();

	if (strncmp(path, prefix, sizeof(prefix) - 1) == 0)
		path += sizeof(prefix) - 1;
	for (size_t i = 0; i < rows.count; i++) {
		if (strcmp(path, rows.items[i].path) == 0)
			return &rows.items[i];
	}
	return NULL;
}

/* Little-endian: the low bytes of a wider integer are the narrower one. */
static uint64_t read_uint(const SettingRow *row, const void *field)
{
	uint64_t value = 0;

	memcpy(&value, field, row->size);
	return value;
}

static const char *enum_text(const SettingRow *row, const void *field, Arena *arena, Error *err)
{
	const uint64_t value = read_uint(row, field);

	if (value < row->name_count)
		return row->names[value];
	return arena_printf(arena, err, "%" PRIu64, value);
}

static const char *guid_text(const void *field, Arena *arena, Error *err)
{
	char text[GUID_TEXT_SIZE];
	Guid guid;

	memcpy(&guid, field, sizeof(guid));
	guid_format(guid, text);
	return arena_printf(arena, err, "%s", text);
}

static const char *image_text(const Image *image, Arena *arena, Error *err)
{
	if (image->place == IMAGE_IN_PLACE)
		return arena_printf(arena, err, "in place at 0x%" PRIx64 ", %" PRIu64 " bytes",
			image->gpa, image->len);
	if (image->place == IMAGE_BYTES)
		return arena_printf(arena, err, "uploaded, %zu bytes", image->bytes.len);
	return "absent";
}

static const char *boot_order_text(const PcatBootDevice *order, Arena *arena, Error *err)
{
	const char *text[PCAT_BOOT_DEVICE_COUNT];

	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++)
		text[i] =
			order[i] < PCAT_BOOT_DEVICE_COUNT ? boot_devices[order[i]] : "unknown";
	return arena_printf(arena, err, "%s %s %s %s", text[0], text[1], text[2], text[3]);
}

const char *settings_policy_value(
	const SettingRow *row, const PlatformSettings *settings, Arena *arena, Error *err)
{
	static const uint8_t zero[16];
	const void *field = field_of(row, settings);

	switch (row->kind) {
	case SETTING_KIND_BOOL:
		return *(const bool *)field ? "true" : "false";
	case SETTING_KIND_UINT:
		return arena_printf(arena, err, "%" PRIu64, read_uint(row, field));
	case SETTING_KIND_ENUM:
		return enum_text(row, field, arena, err);
	case SETTING_KIND_BYTES:
		return arena_printf(arena, err, "%zu bytes", ((const Bytes *)field)->len);
	case SETTING_KIND_GUID:
		return guid_text(field, arena, err);
	case SETTING_KIND_OPAQUE:
		return memcmp(field, zero, sizeof(zero)) == 0 ? "none" : "given";
	case SETTING_KIND_IMAGE:
		return image_text(field, arena, err);
	case SETTING_KIND_BOOT_ORDER:
		return boot_order_text(field, arena, err);
	case SETTING_KIND_TABLES:
		return arena_printf(arena, err, "%zu tables", settings->acpi_table_count);
	case SETTING_KIND_COUNT:
		break;
	}
	return "";
}

static bool refuse(const SettingRow *row, const PlatformSettings *in, Arena *arena, Error *err)
{
	const char *value = settings_policy_value(row, in, arena, err);
	char source[ERROR_SOURCE_SIZE] = "settings.";

	if (!value)
		return false;
	strncat(source, row->path, sizeof(source) - strlen(source) - 1);
	error_set(err, PVW_SETTINGS_0001, "%s is %s, expected %s", row->path, value,
		row->when_isolated);
	return error_at(err, source);
}

/* Replace the value, and say so. */
static bool clamp(const SettingRow *row, PlatformSettings *settings, Arena *arena,
	SettingsClamp *out, Error *err)
{
	SettingsClamp made = { .field = row->path, .why = row->when_isolated };

	made.asked = settings_policy_value(row, settings, arena, err);
	if (!made.asked)
		return false;
	row->replace(settings);
	made.used = settings_policy_value(row, settings, arena, err);
	if (!made.used)
		return false;
	*out = made;
	return true;
}

bool settings_apply_policy(const PlatformSettings *in, IsolationType isolation, Arena *arena,
	PlatformSettings *out, SettingsClampList *clamps, Error *err)
{
	const SettingRowList rows = settings_policy_rows();
	PlatformSettings settings = *in;
	SettingsClamp *made;
	size_t count = 0;

	if (!isolation_is_isolated(isolation)) {
		*out = settings;
		*clamps = (SettingsClampList){ 0 };
		return true;
	}
	made = arena_array(arena, SettingsClamp, rows.count, err);
	if (!made)
		return false;
	for (size_t i = 0; i < rows.count; i++) {
		const SettingRow *row = &rows.items[i];

		if (!row->is_bad || !row->is_bad(row, in))
			continue;
		if (row->policy == SETTING_REFUSE)
			return refuse(row, in, arena, err);
		if (!clamp(row, &settings, arena, &made[count++], err))
			return false;
	}
	*out = settings;
	*clamps = (SettingsClampList){ made, count };
	return true;
}
