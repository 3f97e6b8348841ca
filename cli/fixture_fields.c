/*
 * Fixtures as lists of fields.
 */
#include "cli/fixture_fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/client.h"
#include "host/message_json.h"
#include "proto/worker.pb-c.h"
#include "worker/prepare.h"

/* Fields being collected; the first failure ends it. */
typedef struct Fields {
	FixtureField *items;
	size_t count, capacity;
	Arena *arena;
	Error *err;
	bool failed;
} Fields;

static bool grow(Fields *fields)
{
	const size_t capacity = fields->capacity ? 2 * fields->capacity : 256;
	FixtureField *items;

	if (fields->count < fields->capacity)
		return true;
	items = arena_array(fields->arena, FixtureField, capacity, fields->err);
	if (!items)
		return false;
	if (fields->count)
		memcpy(items, fields->items, fields->count * sizeof(*items));
	fields->items = items;
	fields->capacity = capacity;
	return true;
}

static void add(Fields *fields, const char *path, const char *value)
{
	if (fields->failed || !path || !value || !grow(fields)) {
		fields->failed = true;
		return;
	}
	fields->items[fields->count++] = (FixtureField){ path, value };
}

#define TEXT(fields, ...) arena_printf((fields)->arena, (fields)->err, __VA_ARGS__)

static void add_number(Fields *fields, const char *path, uint64_t value)
{
	add(fields, path, TEXT(fields, "%" PRIu64, value));
}

static void add_address(Fields *fields, const char *path, uint64_t value)
{
	add(fields, path, TEXT(fields, "0x%" PRIx64, value));
}

static void add_bool(Fields *fields, const char *path, bool value)
{
	add(fields, path, value ? "true" : "false");
}

static void add_digest(Fields *fields, const char *path, const Digest *digest)
{
	char text[DIGEST_HEX_SIZE];

	digest_format(*digest, text);
	add(fields, path, TEXT(fields, "%s", text));
}

static void add_bytes(Fields *fields, const char *path, Bytes bytes)
{
	char text[DIGEST_HEX_SIZE];

	digest_format(digest_of(bytes), text);
	add(fields, path, TEXT(fields, "%zu bytes, sha256 %s", bytes.len, text));
}

/*
 * Expectations.
 */

static const char *role_name(const FixtureRange *range)
{
	const ProtobufCEnumDescriptor *roles = range->space == FIXTURE_MEMORY
		? &pvw__v1__memory_role__descriptor
		: &pvw__v1__mmio_role__descriptor;
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(roles, (int)range->role);

	return value ? value->name : "unknown";
}

static void add_expect(Fields *fields, const FixtureExpect *expect)
{
	add_bool(fields, "expect.ok", expect->ok);
	if (!expect->ok) {
		add(fields, "expect.diagnostic", expect->diagnostic);
		if (expect->has_offset)
			add_address(fields, "expect.offset", expect->offset);
		return;
	}
	add_digest(fields, "expect.plan", &expect->plan);
	for (size_t i = 0; i < expect->artifacts.count; i++)
		add_digest(fields,
			TEXT(fields, "expect.artifacts.%s", expect->artifacts.items[i].name),
			&expect->artifacts.items[i].digest);
	for (size_t i = 0; i < expect->ranges.count; i++) {
		const FixtureRange *range = &expect->ranges.items[i];

		add(fields,
			TEXT(fields, "expect.ranges.%s.0x%012" PRIx64,
				range->space == FIXTURE_MEMORY ? "memory" : "mmio",
				range->start),
			TEXT(fields, "0x%" PRIx64 " bytes, %s", range->len, role_name(range)));
	}
	for (size_t i = 0; i < expect->allowed.count; i++)
		add(fields, TEXT(fields, "expect.allowed.%s", expect->allowed.items[i]),
			"allowed");
}

/*
 * Settings: the members of their message.
 */

static void add_json(Fields *fields, const char *path, const json_t *json)
{
	/* Iterators are not const in the library; they only look. */
	json_t *object = (json_t *)(uintptr_t)json;
	char *text;

	if (json_is_object(json) && json_object_size(json)) {
		for (void *at = json_object_iter(object); at;
			at = json_object_iter_next(object, at))
			add_json(fields, TEXT(fields, "%s.%s", path, json_object_iter_key(at)),
				json_object_iter_value(at));
		return;
	}
	text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	add(fields, path, text ? TEXT(fields, "%s", text) : NULL);
	free(text);
}

static bool add_settings(Fields *fields, Bytes settings)
{
	ProtobufCMessage *message;
	json_t *json;
	Error why;

	if (!settings.data)
		return true;
	if (!message_unpack(&pvw__v1__device_platform_settings__descriptor, settings,
		    fields->arena, &message, &why)) {
		error_set(fields->err, PVW_FIXTURE_0002, "settings: %.200s", why.text);
		return error_at(fields->err, "fixture");
	}
	if (!message_to_json(message, fields->arena, &json, fields->err))
		return false;
	add_json(fields, "settings", json);
	json_decref(json);
	return true;
}

/*
 * The rest.
 */

static const char *const isolation_names[ISOLATION_COUNT] = {
	[ISOLATION_NONE] = "none",
	[ISOLATION_VBS] = "vbs",
	[ISOLATION_SNP] = "snp",
	[ISOLATION_TDX] = "tdx",
};

static void add_host_caps(Fields *fields, const FixtureHostCaps *caps)
{
	add_number(fields, "host_caps.physical_address_bits", caps->physical_address_bits);
	if (caps->has_alias_base)
		add_address(fields, "host_caps.alias_base", caps->alias_base);
	if (caps->has_x2apic)
		add_bool(fields, "host_caps.x2apic", caps->x2apic);
	for (size_t i = 0; i < caps->vps.count; i++) {
		const FixtureVp *vp = &caps->vps.items[i];

		add(fields, TEXT(fields, "host_caps.vps[%04zu]", i),
			TEXT(fields, "vp %u, id 0x%" PRIx64 ", node %u", vp->index, vp->id,
				vp->vnode));
	}
}

static void add_options(Fields *fields, const FixtureOptions *options)
{
	char entropy[2 * ENTROPY_SIZE + 1];

	for (size_t i = 0; i < ENTROPY_SIZE; i++)
		snprintf(entropy + 2 * i, 3, "%02x", options->entropy[i]);
	add(fields, "options.entropy", TEXT(fields, "%s", entropy));
	add(fields, "options.mtrr", mtrr_policy_name(options->mtrr));
	add(fields, "options.acpi",
		options->acpi == ACPI_PROFILE_DEFAULT ? "default" : "reference");
	add_number(fields, "options.layout_version", options->layout_version);
	add_number(fields, "options.vps_per_socket", options->vps_per_socket);
	add_bool(fields, "options.smt", options->smt);
	add_number(fields, "options.relay_devices", options->relay_devices);
}

static void add_provenance(Fields *fields, const FixtureProvenance *provenance)
{
	if (!provenance->present)
		return;
	add(fields, "provenance.tool", provenance->tool);
	if (provenance->has_time)
		add_number(fields, "provenance.unix_time", provenance->unix_time);
	if (provenance->note)
		add(fields, "provenance.note", provenance->note);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const FixtureField *)a)->path, ((const FixtureField *)b)->path);
}

static bool finish(Fields *fields, FixtureFieldList *out)
{
	if (fields->failed)
		return false;
	qsort(fields->items, fields->count, sizeof(*fields->items), by_path);
	*out = (FixtureFieldList){ fields->items, fields->count };
	return true;
}

bool fixture_fields(const Fixture *fixture, Arena *arena, FixtureFieldList *out, Error *err)
{
	Fields fields = { .arena = arena, .err = err };

	add(&fields, "arch", guest_arch_name(fixture->arch));
	add(&fields, "isolation", isolation_names[fixture->isolation]);
	add_bytes(&fields, "boot_tree", fixture->boot_tree);
	if (!add_settings(&fields, fixture->settings))
		return false;
	for (size_t i = 0; i < fixture->parameters.count; i++)
		add_bytes(&fields,
			TEXT(&fields, "parameters[%zu].0x%" PRIx64, i,
				fixture->parameters.items[i].kind),
			fixture->parameters.items[i].data);
	if (fixture->has_host_caps)
		add_host_caps(&fields, &fixture->host_caps);
	if (fixture->measured_vtl0.data)
		add_bytes(&fields, "measured.vtl0", fixture->measured_vtl0);
	if (fixture->measured_vtl2.data)
		add_bytes(&fields, "measured.vtl2", fixture->measured_vtl2);
	add_expect(&fields, &fixture->expect);
	add_provenance(&fields, &fixture->provenance);
	add_options(&fields, &fixture->options);
	return finish(&fields, out);
}

bool fixture_expect_fields(
	const FixtureExpect *expect, Arena *arena, FixtureFieldList *out, Error *err)
{
	Fields fields = { .arena = arena, .err = err };

	add_expect(&fields, expect);
	return finish(&fields, out);
}

bool fixture_compare(FixtureFieldList before, FixtureFieldList after, Arena *arena,
	FixtureDifferenceList *out, Error *err)
{
	FixtureDifference *items =
		arena_array(arena, FixtureDifference, before.count + after.count, err);
	size_t i = 0, j = 0, count = 0;

	if (!items)
		return false;
	while (i < before.count || j < after.count) {
		const FixtureField *a = i < before.count ? &before.items[i] : NULL;
		const FixtureField *b = j < after.count ? &after.items[j] : NULL;
		const int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);

		i += order <= 0;
		j += order >= 0;
		if (order < 0)
			items[count++] = (FixtureDifference){ a->path, a->value, NULL };
		else if (order > 0)
			items[count++] = (FixtureDifference){ b->path, NULL, b->value };
		else if (strcmp(a->value, b->value) != 0)
			items[count++] = (FixtureDifference){ a->path, a->value, b->value };
	}
	*out = (FixtureDifferenceList){ items, count };
	return true;
}
