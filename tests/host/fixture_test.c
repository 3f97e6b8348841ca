/*
 * Fixtures: the head check, the schema, and that reading and writing are each other's inverse.
 */
#include "host/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "host/cbor_check.h"

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new((size_t)8 * 1024 * 1024);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(cbor_check, .init = setup, .fini = teardown);
TestSuite(fixture, .init = setup, .fini = teardown);

typedef struct CheckCase {
	const char *what;
	const char *bytes;
	size_t len;
	uint16_t diagnostic; /* PVW_NONE: accepted */
	const char *word;
	uint64_t offset;
} CheckCase;

#define CASE(what, text, ...)                                                                  \
	{                                                                                      \
		what, text, sizeof(text) - 1, __VA_ARGS__                                      \
	}

static const CheckCase check_cases[] = {
	CASE("a small number", "\x17", PVW_NONE, "", 0),
	CASE("a number of two bytes", "\x18\x18", PVW_NONE, "", 0),
	CASE("a map", "\xa2\x00\x01\x61z\xf6", PVW_NONE, "", 0),
	CASE("keys by encoding: text after numbers", "\xa2\x18\xff\xf5\x60\x80", PVW_NONE, "",
		0),
	CASE("nothing", "", PVW_FIXTURE_0004, "end", 0),
	CASE("a wide head of 1 byte", "\x18\x17", PVW_FIXTURE_0001, "shortest", 0),
	CASE("a wide head of 2 bytes", "\x81\x19\x00\xff", PVW_FIXTURE_0001, "shortest", 1),
	CASE("a wide head of 4 bytes", "\x1a\x00\x00\xff\xff", PVW_FIXTURE_0001, "shortest", 0),
	CASE("a wide head of 8 bytes", "\x1b\x00\x00\x00\x00\xff\xff\xff\xff", PVW_FIXTURE_0001,
		"shortest", 0),
	CASE("a head cut short", "\x82\x01\x19\x01", PVW_FIXTURE_0004, "head", 2),
	CASE("an indefinite array", "\x9f\xff", PVW_FIXTURE_0001, "definite", 0),
	CASE("an indefinite string", "\x5f\x41\x00\xff", PVW_FIXTURE_0001, "definite", 0),
	CASE("a reserved head", "\x1c", PVW_FIXTURE_0001, "definite", 0),
	CASE("a tag", "\xc0\x00", PVW_FIXTURE_0001, "tag", 0),
	CASE("a half float", "\xf9\x00\x00", PVW_FIXTURE_0001, "float", 0),
	CASE("a double", "\xfb\x00\x00\x00\x00\x00\x00\x00\x00", PVW_FIXTURE_0001, "float", 0),
	CASE("undefined", "\xf7", PVW_FIXTURE_0001, "simple", 0),
	CASE("a break", "\xff", PVW_FIXTURE_0001, "simple", 0),
	CASE("bytes behind", "\x00\x00", PVW_FIXTURE_0001, "behind", 1),
	CASE("a key twice", "\xa2\x00\x00\x00\x00", PVW_FIXTURE_0001, "twice", 3),
	CASE("keys descending", "\xa2\x01\x00\x00\x00", PVW_FIXTURE_0001, "ascending", 3),
	CASE("texts descending", "\xa2\x62\x61\x61\x00\x61z\x00", PVW_FIXTURE_0001, "ascending",
		5),
	CASE("bytes as a key", "\xa1\x40\x00", PVW_FIXTURE_0001, "key", 1),
	CASE("an array as a key", "\xa1\x80\x00", PVW_FIXTURE_0001, "key", 1),
	CASE("text that is not UTF-8", "\x61\xff", PVW_FIXTURE_0001, "UTF-8", 0),
	CASE("a string beyond the end", "\x42\x00", PVW_FIXTURE_0004, "left", 0),
	CASE("2^28 items of nothing", "\x9a\x10\x00\x00\x00", PVW_FIXTURE_0004, "items", 0),
	CASE("2^63 pairs", "\xbb\x80\x00\x00\x00\x00\x00\x00\x00", PVW_FIXTURE_0004, "pairs",
		0),
	CASE("more pairs than half the bytes", "\xa2\x00\x00\x01", PVW_FIXTURE_0004, "pairs",
		0),
	CASE("16 levels", "\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x80",
		PVW_NONE, "", 0),
	CASE("17 levels",
		"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x80",
		PVW_FIXTURE_0003, "deeper", 16),
};

Test(cbor_check, takes_what_is_deterministic_and_nothing_else)
{
	for (size_t i = 0; i < ARRAY_COUNT(check_cases); i++) {
		const CheckCase *c = &check_cases[i];
		/* a copy of exact size: reads beyond are seen by the sanitizer */
		uint8_t *copy = malloc(c->len);
		Error found = { 0 };

		memcpy(copy, c->bytes, c->len);
		const bool ok = cbor_check((Bytes){ copy, c->len }, "file", &found);

		free(copy);
		cr_assert_eq(ok, c->diagnostic == PVW_NONE, "%s: %s", c->what, found.text);
		cr_assert_eq(found.diagnostic, c->diagnostic, "%s: %s", c->what, found.text);
		if (ok)
			continue;
		cr_assert_not_null(strstr(found.text, c->word), "%s: %s", c->what, found.text);
		cr_assert(found.has_offset, "%s", c->what);
		cr_assert_eq(found.offset, c->offset, "%s: %lu", c->what, found.offset);
		cr_assert_str_eq(found.source, "file");
	}
}

Test(cbor_check, counts_items)
{
	const size_t count = CBOR_CHECK_MAX_ITEMS;
	uint8_t *bytes = calloc(1, count + 5);

	/* an array of 99,999 zeros is 100,000 items */
	memcpy(bytes, "\x9a\x00\x01\x86\x9f", 5);
	cr_assert(cbor_check((Bytes){ bytes, 5 + count - 1 }, "file", &err), "%s", err.text);
	bytes[4] = 0xa0;
	cr_assert_not(cbor_check((Bytes){ bytes, 5 + count }, "file", &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0003);
	cr_assert_not_null(strstr(err.text, "items"));
	free(bytes);
}

/* A fixture with every member that a fixture can have. */
static Fixture full_fixture(void)
{
	static const uint8_t tree[40] = { 0xd0, 0x0d, 0xfe, 0xed };
	static const uint8_t settings[] = { 0x08, 0x01 };
	static const FixtureParameter parameters[] = {
		{ FIXTURE_PARAMETER_SLIT, { settings, 2 } },
		{ FIXTURE_PARAMETER_PPTT, { settings, 0 } },
	};
	static const FixtureVp vps[] = { { 0, 0, 0 }, { 1, 0x100000000, 7 } };
	static const FixtureArtifact artifacts[] = { { "b", { { 1 } } }, { "aa", { { 2 } } } };
	static const FixtureRange ranges[] = {
		{ 0, 0xf8000000, FIXTURE_MEMORY, 1 },
		{ 0xf8000000, 0x8000000, FIXTURE_MMIO, 1 },
	};
	static const char *const allowed[] = { "PVW-UEFI-0012" };

	return (Fixture){
		.arch = GUEST_ARCH_AARCH64,
		.isolation = ISOLATION_TDX,
		.boot_tree = { tree, sizeof(tree) },
		.settings = { settings, sizeof(settings) },
		.parameters = { parameters, 2 },
		.has_host_caps = true,
		.host_caps = { .physical_address_bits = 46,
			.has_alias_base = true,
			.alias_base = UINT64_MAX,
			.has_x2apic = true,
			.x2apic = true,
			.vps = { vps, 2 } },
		.has_measured = true,
		.measured_vtl0 = { settings, 1 },
		.measured_vtl2 = { settings, 2 },
		.expect = { .ok = true,
			.plan = { { 9 } },
			.artifacts = { artifacts, 2 },
			.ranges = { ranges, 2 },
			.allowed = { allowed, 1 } },
		.provenance = { .present = true,
			.tool = "pvw 0.1.0",
			.has_time = true,
			.unix_time = 1700000000,
			.note = "a note" },
		.options = { .entropy = { 1, 2, 3 },
			.mtrr = MTRR_POLICY_HYPERV,
			.acpi = ACPI_PROFILE_REFERENCE,
			.layout_version = 1,
			.vps_per_socket = 2,
			.smt = true,
			.relay_devices = 64 },
	};
}

static Bytes written(const Fixture *fixture)
{
	Bytes bytes = { 0 };

	cr_assert(fixture_write(fixture, arena, &bytes, &err), "%s", err.text);
	return bytes;
}

/* Every byte again: two fixtures are equal when their one encoding is. */
static void assert_round_trip(const Fixture *fixture)
{
	const Bytes bytes = written(fixture);
	Fixture again;
	Bytes twice;

	cr_assert(fixture_read(bytes, arena, &again, &err), "%s", err.text);
	twice = written(&again);
	cr_assert_eq(twice.len, bytes.len);
	cr_assert_eq(memcmp(twice.data, bytes.data, bytes.len), 0);
}

Test(fixture, reads_what_it_writes)
{
	const Fixture fixture = full_fixture();
	const Bytes bytes = written(&fixture);
	Fixture again;

	cr_assert(fixture_read(bytes, arena, &again, &err), "%s", err.text);

	cr_assert_eq(again.arch, GUEST_ARCH_AARCH64);
	cr_assert_eq(again.isolation, ISOLATION_TDX);
	cr_assert_eq(again.boot_tree.len, 40);
	cr_assert_eq(again.parameters.count, 2);
	cr_assert_eq(again.parameters.items[0].kind, 0x30f);
	cr_assert_eq(again.parameters.items[1].data.len, 0);
	cr_assert_eq(again.host_caps.alias_base, UINT64_MAX);
	cr_assert_eq(again.host_caps.vps.items[1].id, 0x100000000);
	cr_assert_eq(again.host_caps.vps.items[1].vnode, 7);
	cr_assert_eq(again.measured_vtl2.len, 2);
	cr_assert(again.expect.ok);
	cr_assert_str_eq(again.expect.artifacts.items[1].name, "aa");
	cr_assert_eq(again.expect.artifacts.items[1].digest.bytes[0], 2);
	cr_assert_eq(again.expect.ranges.items[1].space, FIXTURE_MMIO);
	cr_assert_str_eq(again.expect.allowed.items[0], "PVW-UEFI-0012");
	cr_assert_eq(again.provenance.unix_time, 1700000000);
	cr_assert_eq(again.options.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(again.options.acpi, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(again.options.entropy[2], 3);
	cr_assert_eq(again.options.relay_devices, 64);
	assert_round_trip(&fixture);
}

Test(fixture, reads_what_it_writes_without_what_is_optional)
{
	Fixture fixture = full_fixture();

	fixture.settings = (Bytes){ 0 };
	fixture.parameters = (FixtureParameterList){ 0 };
	fixture.has_host_caps = false;
	fixture.has_measured = false;
	fixture.provenance = (FixtureProvenance){ 0 };
	fixture.expect = (FixtureExpect){ .diagnostic = "PVW-ROLE-0010" };
	assert_round_trip(&fixture);

	fixture.expect.has_offset = true;
	fixture.expect.offset = 0x1234;
	fixture.has_measured = true;
	fixture.measured_vtl0 = (Bytes){ 0 };
	assert_round_trip(&fixture);
}

Test(fixture, tells_an_empty_list_from_none)
{
	static const FixtureParameter none[1];
	Fixture fixture = full_fixture(), again;
	size_t len;

	fixture.parameters = (FixtureParameterList){ 0 };
	len = written(&fixture).len;
	fixture.parameters = (FixtureParameterList){ none, 0 };
	cr_assert_eq(written(&fixture).len, len + 2);
	cr_assert(fixture_read(written(&fixture), arena, &again, &err));
	cr_assert_not_null(again.parameters.items);
	assert_round_trip(&fixture);
}

/* The encoding, by hand: [RFC8949] and the schema alone. */
static const char by_hand[] = "\xa7"
			      "\x00\x70pvw-boot-fixture"
			      "\x01\x01"
			      "\x02\x01"
			      "\x03\x02"
			      "\x04\x58\x28"
			      "0123456789012345678901234567890123456789"
			      "\x09\xa2\x00\xf4\x01\x6dPVW-ROLE-0007"
			      "\x0b\xa7\x00\x58\x40"
			      "0123456789012345678901234567890123456789"
			      "012345678901234567890123"
			      "\x01\x02\x02\x01\x03\x01\x04\x18\x20\x05\xf4\x06\x00";

static Bytes hand_bytes(uint8_t *copy)
{
	memcpy(copy, by_hand, sizeof(by_hand) - 1);
	return (Bytes){ copy, sizeof(by_hand) - 1 };
}

Test(fixture, reads_bytes_made_by_hand_and_writes_them_back)
{
	uint8_t copy[sizeof(by_hand)];
	const Bytes bytes = hand_bytes(copy);
	Fixture fixture;
	Bytes again;

	cr_assert(fixture_read(bytes, arena, &fixture, &err), "%s", err.text);

	cr_assert_eq(fixture.arch, GUEST_ARCH_X86_64);
	cr_assert_eq(fixture.isolation, ISOLATION_VBS);
	cr_assert_eq(fixture.boot_tree.data, copy + 0x1c);
	cr_assert_null(fixture.settings.data);
	cr_assert_not(fixture.expect.ok);
	cr_assert_str_eq(fixture.expect.diagnostic, "PVW-ROLE-0007");
	cr_assert_not(fixture.expect.has_offset);
	cr_assert_eq(fixture.options.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(fixture.options.acpi, ACPI_PROFILE_DEFAULT);
	cr_assert_eq(fixture.options.vps_per_socket, 32);
	again = written(&fixture);
	cr_assert_eq(again.len, bytes.len);
	cr_assert_eq(memcmp(again.data, bytes.data, bytes.len), 0);
}

typedef struct PatchCase {
	size_t at;
	uint8_t value;
	uint16_t diagnostic;
	const char *word;
} PatchCase;

/* One byte of by_hand changed. */
static const PatchCase patch_cases[] = {
	{ 0x03, 'q', PVW_FIXTURE_0005, "magic" },
	{ 0x14, 0x02, PVW_FIXTURE_0005, "version" },
	{ 0x16, 0x00, PVW_FIXTURE_0002, "arch" },
	{ 0x16, 0x03, PVW_FIXTURE_0002, "arch" },
	{ 0x16, 0xf5, PVW_FIXTURE_0002, "a bool, expected a number" },
	{ 0x16, 0x20, PVW_FIXTURE_0002, "negative" },
	{ 0x18, 0x05, PVW_FIXTURE_0002, "isolation" },
	{ 0x44, 0x0a, PVW_FIXTURE_0002, "missing" },
	{ 0x47, 0xf5, PVW_FIXTURE_0002, "expect: plan: a text, expected bytes" },
	{ 0x47, 0x00, PVW_FIXTURE_0002, "ok: a number" },
	{ 0x51, 0x00, PVW_FIXTURE_0002, "NUL" },
	{ 0x9d, 0x04, PVW_FIXTURE_0002, "options: mtrr: 4, expected 1 to 3" },
	{ 0x9f, 0x00, PVW_FIXTURE_0002, "acpi: 0, expected 1 to 2" },
	{ 0xa1, 0x00, PVW_FIXTURE_0002, "layout_version" },
	{ 0xa6, 0x02, PVW_FIXTURE_0002, "smt: a number" },
	{ 0xa7, 0x07, PVW_FIXTURE_0002, "relay_devices) is missing" },
};

Test(fixture, refuses_what_the_schema_does_not_allow)
{
	for (size_t i = 0; i < ARRAY_COUNT(patch_cases); i++) {
		const PatchCase *c = &patch_cases[i];
		uint8_t copy[sizeof(by_hand)];
		const Bytes bytes = hand_bytes(copy);
		Fixture fixture;

		err = (Error){ 0 };
		copy[c->at] = c->value;
		cr_assert_not(fixture_read(bytes, arena, &fixture, &err), "case %zu", i);
		cr_assert_eq(err.diagnostic, c->diagnostic, "case %zu: %s", i, err.text);
		cr_assert_not_null(strstr(err.text, c->word), "case %zu: %s", i, err.text);
		cr_assert(err.has_offset, "case %zu", i);
		cr_assert_leq(err.offset, c->at + 2, "case %zu: %lu", i, err.offset);
	}
}

Test(fixture, refuses_to_write_what_it_would_not_read)
{
	Fixture fixture = full_fixture();
	Bytes bytes = { 0 };

	fixture.options.vps_per_socket = 0;
	cr_assert_not(fixture_write(&fixture, arena, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0002);
	cr_assert_not_null(strstr(err.text, "vps_per_socket"));

	const FixtureArtifact unsorted[] = { { "b", { { 1 } } }, { "a", { { 2 } } } };

	fixture = full_fixture();
	fixture.expect.artifacts = (FixtureArtifactList){ unsorted, 2 };
	cr_assert_not(fixture_write(&fixture, arena, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0001);

	fixture = full_fixture();
	fixture.boot_tree.len = 39;
	cr_assert_not(fixture_write(&fixture, arena, &bytes, &err));
	cr_assert_not_null(strstr(err.text, "39 bytes, expected 40"));
	cr_assert_null(bytes.data);
}

Test(fixture, refuses_a_file_that_is_too_large)
{
	static const uint8_t byte[1];
	const Bytes bytes = { byte, FIXTURE_MAX_SIZE + 1 };
	Fixture fixture;

	cr_assert_not(fixture_read(bytes, arena, &fixture, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0003);
	cr_assert_not_null(strstr(err.text, "1048577"));
}

Test(fixture, survives_every_cut_and_a_thousand_mutations)
{
	const Fixture full = full_fixture();
	const Bytes bytes = written(&full);
	uint64_t random = 0x9e3779b97f4a7c15;
	Fixture fixture;
	size_t refused = 0;

	for (size_t len = 0; len < bytes.len; len++) {
		uint8_t *copy = malloc(len);

		memcpy(copy, bytes.data, len);
		cr_assert_not(fixture_read((Bytes){ copy, len }, arena, &fixture, &err));
		free(copy);
	}
	for (size_t i = 0; i < 1000; i++) {
		uint8_t *copy = malloc(bytes.len);
		Arena *small = arena_new((size_t)1024 * 1024);

		memcpy(copy, bytes.data, bytes.len);
		for (size_t j = 0; j <= i % 4; j++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			copy[(random >> 33) % bytes.len] = (uint8_t)(random >> 24);
		}
		refused += !fixture_read((Bytes){ copy, bytes.len }, small, &fixture, &err);
		arena_free(small);
		free(copy);
	}
	cr_assert_gt(refused, 300);
}
