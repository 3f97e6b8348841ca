/*
 * The schema of fixtures, as rows. docs/formats.md, "Fixtures", says the same in CDDL.
 */
#include "host/fixture.h"

#include <string.h>

#include "bootinfo/boot_info.h"
#include "host/cbor_schema.h"

#define SCHEMA_VERSION 1
#define TREE_MIN 40 /* bytes: a header */
#define SETTINGS_MAX ((size_t)512 * 1024)
#define PARAMETER_MAX 65536 /* bytes */
#define PARAMETERS_MAX 64   /* items */
#define TEXT_MAX 256        /* bytes of a name, a code or a note */
#define RANGES_MAX 1024     /* items */
#define ROLE_MAX 64         /* above all roles there are */
#define ALLOWED_MAX 64      /* items */
#define BITS_MAX 57         /* of a physical address */
#define RELAY_MAX 64        /* devices */

/* A row for @member of @type; the rest are its bounds and tables. */
#define FIELD(number, type, member, kind_, ...)                                                \
	{                                                                                      \
		.key = (number), .name = #member, .kind = CBOR_KIND_##kind_,                   \
		.at = offsetof(type, member), .width = sizeof(((type *)NULL)->member),         \
		__VA_ARGS__                                                                    \
	}
#define OPTIONAL .presence = CBOR_OPTIONAL
#define FLAGGED(type, member) .presence = CBOR_FLAGGED, .flag = offsetof(type, member)
#define ANY .max = UINT64_MAX
#define ROWS(table)                                                                            \
	{                                                                                      \
		(table), ARRAY_COUNT(table)                                                    \
	}
#define LIST_OF(shape_, type, table)                                                           \
	{                                                                                      \
		CBOR_LIST_##shape_, (table), ARRAY_COUNT(table), sizeof(type), _Alignof(type)  \
	}

/*
 * Every table of a map stands in the order of its keys, every table of a list's element in the
 * order of its items: both are the order on the wire.
 */

static const CborField parameter_fields[] = {
	FIELD(0, FixtureParameter, kind, UINT, ANY),
	FIELD(1, FixtureParameter, data, BYTES, .max = PARAMETER_MAX),
};
static const CborList parameter_list = LIST_OF(TUPLES, FixtureParameter, parameter_fields);

static const CborField vp_fields[] = {
	FIELD(0, FixtureVp, index, UINT, .max = UINT32_MAX),
	FIELD(1, FixtureVp, id, UINT, ANY),
	FIELD(2, FixtureVp, vnode, UINT, .max = UINT32_MAX),
};
static const CborList vp_list = LIST_OF(TUPLES, FixtureVp, vp_fields);

static const CborField host_caps_fields[] = {
	FIELD(0, FixtureHostCaps, physical_address_bits, UINT, .max = BITS_MAX),
	FIELD(1, FixtureHostCaps, alias_base, UINT, ANY,
		FLAGGED(FixtureHostCaps, has_alias_base)),
	FIELD(2, FixtureHostCaps, x2apic, BOOL, .max = 1, FLAGGED(FixtureHostCaps, has_x2apic)),
	FIELD(3, FixtureHostCaps, vps, LIST, .min = 1, .max = BOOT_INFO_MAX_CPUS,
		.list = &vp_list),
};
static const CborMap host_caps_map = ROWS(host_caps_fields);

static const CborField measured_fields[] = {
	FIELD(0, Fixture, measured_vtl0, BYTES, ANY, OPTIONAL),
	FIELD(1, Fixture, measured_vtl2, BYTES, ANY, OPTIONAL),
};
static const CborMap measured_map = ROWS(measured_fields);

static const CborField artifact_fields[] = {
	FIELD(0, FixtureArtifact, name, TEXT, .min = 1, .max = TEXT_MAX),
	FIELD(1, FixtureArtifact, digest, FIXED, .min = DIGEST_SIZE, .max = DIGEST_SIZE),
};
static const CborList artifact_list = LIST_OF(PAIRS, FixtureArtifact, artifact_fields);

static const CborField range_fields[] = {
	FIELD(0, FixtureRange, start, UINT, ANY),
	FIELD(1, FixtureRange, len, UINT, ANY),
	FIELD(2, FixtureRange, space, ENUM0, .max = FIXTURE_SPACE_COUNT - 1),
	FIELD(3, FixtureRange, role, UINT, .max = ROLE_MAX),
};
static const CborList range_list = LIST_OF(TUPLES, FixtureRange, range_fields);

static const CborField text_fields[] = {
	{ .name = "code", .kind = CBOR_KIND_TEXT, .min = 1, .max = TEXT_MAX },
};
static const CborList text_list = LIST_OF(PLAIN, const char *, text_fields);

static const CborField refuse_fields[] = {
	FIELD(0, FixtureExpect, ok, BOOL, .max = 0),
	FIELD(1, FixtureExpect, diagnostic, TEXT, .min = 1, .max = TEXT_MAX),
	FIELD(2, FixtureExpect, offset, UINT, ANY, FLAGGED(FixtureExpect, has_offset)),
};

static const CborField ok_fields[] = {
	FIELD(0, FixtureExpect, ok, BOOL, .min = 1, .max = 1),
	FIELD(1, FixtureExpect, plan, FIXED, .min = DIGEST_SIZE, .max = DIGEST_SIZE),
	FIELD(2, FixtureExpect, artifacts, LIST, .max = BOOT_PLAN_MAX_ARTIFACTS,
		.list = &artifact_list, OPTIONAL),
	FIELD(3, FixtureExpect, ranges, LIST, .max = RANGES_MAX, .list = &range_list, OPTIONAL),
	FIELD(4, FixtureExpect, allowed, LIST, .max = ALLOWED_MAX, .list = &text_list,
		OPTIONAL),
};

static const CborMap expect_maps[] = { ROWS(refuse_fields), ROWS(ok_fields) };

static const CborField provenance_fields[] = {
	FIELD(0, FixtureProvenance, tool, TEXT, .max = TEXT_MAX),
	FIELD(1, FixtureProvenance, unix_time, UINT, ANY, FLAGGED(FixtureProvenance, has_time)),
	FIELD(2, FixtureProvenance, note, TEXT, .max = TEXT_MAX, OPTIONAL),
};
static const CborMap provenance_map = ROWS(provenance_fields);

static const CborField options_fields[] = {
	FIELD(0, FixtureOptions, entropy, FIXED, .min = ENTROPY_SIZE, .max = ENTROPY_SIZE),
	FIELD(1, FixtureOptions, mtrr, ENUM, .min = 1, .max = MTRR_POLICY_COUNT),
	FIELD(2, FixtureOptions, acpi, ENUM, .min = 1, .max = ACPI_PROFILE_COUNT),
	FIELD(3, FixtureOptions, layout_version, UINT, .min = 1, .max = UINT32_MAX),
	FIELD(4, FixtureOptions, vps_per_socket, UINT, .min = 1, .max = UINT32_MAX),
	FIELD(5, FixtureOptions, smt, BOOL, .max = 1),
	FIELD(6, FixtureOptions, relay_devices, UINT, .max = RELAY_MAX),
};
static const CborMap options_map = ROWS(options_fields);

static const CborField fixture_fields[] = {
	{ .key = 0, .name = "magic", .kind = CBOR_KIND_MAGIC, .text = "pvw-boot-fixture" },
	{ .key = 1, .name = "version", .kind = CBOR_KIND_NUMBER, .max = SCHEMA_VERSION },
	FIELD(2, Fixture, arch, ENUM, .min = 1, .max = GUEST_ARCH_COUNT),
	FIELD(3, Fixture, isolation, ENUM, .min = 1, .max = ISOLATION_COUNT),
	FIELD(4, Fixture, boot_tree, BYTES, .min = TREE_MIN, .max = BOOT_INFO_MAX_DTB),
	FIELD(5, Fixture, settings, BYTES, .max = SETTINGS_MAX, OPTIONAL),
	FIELD(6, Fixture, parameters, LIST, .max = PARAMETERS_MAX, .list = &parameter_list,
		OPTIONAL),
	FIELD(7, Fixture, host_caps, MAP, .map = &host_caps_map,
		FLAGGED(Fixture, has_host_caps)),
	{ .key = 8,
		.name = "measured",
		.kind = CBOR_KIND_MAP,
		.map = &measured_map,
		FLAGGED(Fixture, has_measured) },
	FIELD(9, Fixture, expect, CHOICE, .map = expect_maps),
	FIELD(10, Fixture, provenance, MAP, .map = &provenance_map,
		FLAGGED(Fixture, provenance.present)),
	FIELD(11, Fixture, options, MAP, .map = &options_map),
};
static const CborMap fixture_map = ROWS(fixture_fields);

bool fixture_read(Bytes bytes, Arena *arena, Fixture *out, Error *err)
{
	Fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	if (bytes.len > FIXTURE_MAX_SIZE) {
		error_set(err, PVW_FIXTURE_0003, "%zu bytes, expected at most %zu", bytes.len,
			FIXTURE_MAX_SIZE);
		return error_at(err, "fixture");
	}
	if (!cbor_schema_read(bytes, &fixture_map, "fixture", arena, &fixture, err))
		return false;
	*out = fixture;
	return true;
}

bool fixture_write(const Fixture *fixture, Arena *arena, Bytes *out, Error *err)
{
	ByteWriter w = byte_writer_measure();
	Fixture again;
	Bytes bytes;

	cbor_schema_write(&fixture_map, fixture, &w);
	if (w.len > FIXTURE_MAX_SIZE) {
		error_set(err, PVW_FIXTURE_0003, "%zu bytes, expected at most %zu", w.len,
			FIXTURE_MAX_SIZE);
		return error_at(err, "fixture");
	}
	if (!byte_writer_in_arena(arena, w.len, &w, err))
		return false;
	cbor_schema_write(&fixture_map, fixture, &w);
	if (!byte_writer_finish(&w, "fixture", &bytes, err))
		return false;
	/* What cannot be read back is not written: the bounds are judged in one place. */
	if (!fixture_read(bytes, arena, &again, err))
		return error_wrap(err, "as written");
	*out = bytes;
	return true;
}
