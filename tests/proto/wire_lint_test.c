/*
 * What the lint lets through and what it does not.
 */
#include <criterion/criterion.h>
#include <time.h>

#include "helpers/rpc_probe.h"
#include "proto/wire_lint.h"
#include "support/diagnostics.h"

static const WireLimitList no_limits = { 0 };

#define HELLO (&pvw__v1__hello_request__descriptor)

static bool lint(const Probe *p, const ProtobufCMessageDescriptor *message, Error *err)
{
	return wire_lint((Bytes){ p->data, p->len }, message, no_limits, err);
}

static void assert_refused(const Probe *p, const ProtobufCMessageDescriptor *message,
	uint16_t diagnostic, const char *word, const char *source)
{
	Error err = { 0 };

	cr_assert_not(lint(p, message, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_eq(err.code, ERROR_BAD_VALUE);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_str_eq(err.source, source);
	cr_assert(err.has_offset && err.offset <= p->len);
}

Test(wire_lint, accepts_the_empty_message)
{
	Error err;

	cr_assert(wire_lint((Bytes){ 0 }, HELLO, no_limits, &err));
}

Test(wire_lint, accepts_a_whole_hello)
{
	Pvw__V1__HelloRequest hello = PVW__V1__HELLO_REQUEST__INIT;
	Pvw__V1__Guid id = PVW__V1__GUID__INIT;
	char *features[] = { (char *)"events", (char *)"pcat" };
	uint8_t bytes[256];
	Error err;

	hello.major_min = hello.major_max = 1;
	hello.client_name = (char *)"gr\xc3\xbc\xc3\x9f"
				    "e";
	hello.n_want_features = 2;
	hello.want_features = features;
	hello.correlation_id = &id;

	const size_t len = pvw__v1__hello_request__pack(&hello, bytes);

	cr_assert(wire_lint((Bytes){ bytes, len }, HELLO, no_limits, &err), "%s", err.text);
}

Test(wire_lint, refuses_what_is_cut_off)
{
	Probe p = { 0 };

	probe_add(&p,
		"\x1a\x05"
		"ab",
		4);
	assert_refused(&p, HELLO, PVW_RPC_0001, "length", "rpc:HelloRequest");
	probe_free(&p);
}

/* protobuf-c reads five bytes of a tag and of a length, so the lint takes no more. */
Test(wire_lint, refuses_tags_and_lengths_of_six_bytes)
{
	static const uint8_t tag[] = { 0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01 };
	static const uint8_t len[] = { 0x1a, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 'x' };
	Error err;

	cr_assert_not(
		wire_lint((Bytes){ tag, sizeof(tag) }, HELLO, (WireLimitList){ 0 }, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0001);
	cr_assert_not_null(strstr(err.text, "more than 5 bytes"), "%s", err.text);
	cr_assert_not(
		wire_lint((Bytes){ len, sizeof(len) }, HELLO, (WireLimitList){ 0 }, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0001);
	/* One byte less is merely long-winded. */
	cr_assert(
		wire_lint((Bytes){ (const uint8_t[]){ 0x88, 0x80, 0x80, 0x80, 0x00, 0x01 }, 6 },
			HELLO, (WireLimitList){ 0 }, &err),
		"%s", err.text);
}

Test(wire_lint, refuses_text_that_is_not_utf8)
{
	Probe p = { 0 };

	probe_field(&p, 3, "ab\xff", 3);
	assert_refused(&p, HELLO, PVW_RPC_0002, "UTF-8", "rpc:HelloRequest.client_name");
	p.len = 0;
	probe_field(&p, 3, "a\0b", 3);
	assert_refused(&p, HELLO, PVW_RPC_0002, "NUL", "rpc:HelloRequest.client_name");
	probe_free(&p);
}

Test(wire_lint, lets_bytes_hold_anything)
{
	Probe p = { 0 };
	Error err;

	probe_field(&p, 1, "\xff\0\xfe", 3);
	cr_assert(lint(&p, &pvw__v1__guid__descriptor, &err));
	probe_free(&p);
}

Test(wire_lint, refuses_unknown_enum_values)
{
	Probe p = { 0 };

	probe_byte(&p, 1 * 8);
	probe_byte(&p, 3);
	assert_refused(&p, &pvw__v1__load_boot_info_request__descriptor, PVW_RPC_0003, "Arch",
		"rpc:LoadBootInfoRequest.arch");
	p.len = 0;
	probe_byte(&p, 1 * 8);
	probe_varint(&p, UINT64_MAX);
	assert_refused(&p, &pvw__v1__load_boot_info_request__descriptor, PVW_RPC_0003, "-1",
		"rpc:LoadBootInfoRequest.arch");
	p.len = 0;
	probe_byte(&p, 1 * 8);
	probe_varint(&p, (UINT64_C(1) << 32) + 1);
	assert_refused(&p, &pvw__v1__load_boot_info_request__descriptor, PVW_RPC_0003, "Arch",
		"rpc:LoadBootInfoRequest.arch");
	probe_free(&p);
}

Test(wire_lint, refuses_a_singular_field_given_twice)
{
	Probe p = { 0 };

	probe_add(&p, "\x08\x01\x08\x01", 4);
	assert_refused(&p, HELLO, PVW_RPC_0004, "more than once", "rpc:HelloRequest.major_min");
	p.len = 0;
	probe_field(&p, 6, "", 0);
	probe_field(&p, 6, "", 0);
	assert_refused(
		&p, HELLO, PVW_RPC_0004, "correlation_id", "rpc:HelloRequest.correlation_id");
	probe_free(&p);
}

Test(wire_lint, refuses_two_arms_of_a_oneof)
{
	Probe p = { 0 };
	Error err;

	probe_field(&p, 1, "", 0);
	cr_assert(lint(&p, &pvw__v1__source__descriptor, &err));
	probe_field(&p, 2, "kernel", 6);
	assert_refused(
		&p, &pvw__v1__source__descriptor, PVW_RPC_0004, "blob", "rpc:Source.blob");
	probe_free(&p);
}

/* The messages of the service nest five deep at most, so a deep type is made here. */
Test(wire_lint, refuses_nesting_beyond_eight_levels)
{
	static ProtobufCMessageDescriptor nest;
	static const ProtobufCFieldDescriptor fields[] = { { .name = "inner",
		.id = 1,
		.label = PROTOBUF_C_LABEL_NONE,
		.type = PROTOBUF_C_TYPE_MESSAGE,
		.descriptor = &nest } };
	static const ProtobufCIntRange ranges[] = { { 1, 0 }, { 0, 1 } };
	Probe p = { 0 };
	Error err;

	nest = (ProtobufCMessageDescriptor){ .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
		.short_name = "Nest",
		.n_fields = 1,
		.fields = fields,
		.n_field_ranges = 1,
		.field_ranges = ranges };
	for (int levels = 1; levels <= 8; levels++) {
		Probe outer = { 0 };

		cr_assert(lint(&p, &nest, &err), "%d levels: %s", levels, err.text);
		probe_field(&outer, 1, p.data, p.len);
		probe_free(&p);
		p = outer;
	}
	assert_refused(&p, &nest, PVW_RPC_0005, "8 levels",
		"rpc:Nest.inner.inner.inner.inner.inner.inner.inner.inner");
	probe_free(&p);
}

Test(wire_lint, a_nesting_bomb_costs_no_stack)
{
	static ProtobufCMessageDescriptor nest;
	static const ProtobufCFieldDescriptor fields[] = { { .name = "inner",
		.id = 1,
		.label = PROTOBUF_C_LABEL_NONE,
		.type = PROTOBUF_C_TYPE_MESSAGE,
		.descriptor = &nest } };
	static const ProtobufCIntRange ranges[] = { { 1, 0 }, { 0, 1 } };
	const size_t levels = 100000;
	uint8_t *bytes = malloc(levels * 5);
	size_t at = levels * 5, len = 0;
	Error err;

	nest = (ProtobufCMessageDescriptor){ .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
		.short_name = "Nest",
		.n_fields = 1,
		.fields = fields,
		.n_field_ranges = 1,
		.field_ranges = ranges };
	for (size_t i = 0; i < levels; i++) {
		const uint8_t head[5] = { 0x0a, (uint8_t)(len | 0x80),
			(uint8_t)(len >> 7 | 0x80), (uint8_t)(len >> 14 | 0x80),
			(uint8_t)(len >> 21) };

		at -= 5;
		memcpy(bytes + at, head, 5);
		len += 5;
	}
	cr_assert_not(wire_lint((Bytes){ bytes, len }, &nest, no_limits, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0005);
	free(bytes);
}

Test(wire_lint, refuses_floods_of_fields)
{
	Probe p = { 0 };
	Error err;

	for (int i = 0; i < 65536; i++)
		probe_field(&p, 5, "", 0);
	cr_assert(lint(&p, HELLO, &err), "%s", err.text);
	probe_field(&p, 5, "", 0);
	assert_refused(&p, HELLO, PVW_RPC_0006, "65536", "rpc:HelloRequest.want_features");
	probe_free(&p);
}

Test(wire_lint, counts_the_elements_of_packed_lists)
{
	uint8_t *zeros = calloc(1, 65537);
	Probe p = { 0 };

	memset(zeros, 1, 65537);
	probe_field(&p, 1, zeros, 65537);
	assert_refused(&p, &pvw__v1__pcat_settings__descriptor, PVW_RPC_0006, "65536",
		"rpc:PcatSettings.boot_order");
	p.len = 0;
	zeros[3] = 9;
	probe_field(&p, 1, zeros, 10);
	assert_refused(&p, &pvw__v1__pcat_settings__descriptor, PVW_RPC_0003, "PcatBootDevice",
		"rpc:PcatSettings.boot_order");
	probe_free(&p);
	free(zeros);
}

Test(wire_lint, refuses_lists_beyond_their_limit)
{
	const WireLimit limits[] = {
		{ &pvw__v1__vp__descriptor, 1, 0 }, /* of another message */
		{ HELLO, 5, 3 },
	};
	const WireLimitList list = { limits, ARRAY_COUNT(limits) };
	Probe p = { 0 };
	Error err;

	for (int i = 0; i < 3; i++)
		probe_field(&p, 5, "x", 1);
	cr_assert(wire_lint((Bytes){ p.data, p.len }, HELLO, list, &err));
	probe_field(&p, 5, "x", 1);
	cr_assert_not(wire_lint((Bytes){ p.data, p.len }, HELLO, list, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0007);
	cr_assert_not_null(strstr(err.text, "at most 3"), "%s", err.text);
	cr_assert_str_eq(err.source, "rpc:HelloRequest.want_features");
	probe_free(&p);
}

Test(wire_lint, limits_hold_in_messages_within)
{
	const WireLimit limits[] = { { &pvw__v1__host_caps__descriptor, 6, 2 } };
	const WireLimitList list = { limits, ARRAY_COUNT(limits) };
	Probe caps = { 0 }, p = { 0 };
	Error err;

	for (int i = 0; i < 3; i++)
		probe_field(&caps, 6, "", 0);
	probe_field(&p, 8, caps.data, caps.len);
	cr_assert_not(wire_lint((Bytes){ p.data, p.len },
		&pvw__v1__load_boot_info_request__descriptor, list, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0007);
	cr_assert_str_eq(err.source, "rpc:LoadBootInfoRequest.host_caps.vps");
	probe_free(&caps);
	probe_free(&p);
}

Test(wire_lint, skips_a_few_unknown_fields)
{
	Probe p = { 0 };
	Error err;

	for (unsigned i = 0; i < WIRE_LINT_MAX_UNKNOWN; i++)
		probe_field(&p, 100 + i, "x", 1);
	cr_assert(lint(&p, HELLO, &err));
	probe_field(&p, 99, "x", 1);
	assert_refused(&p, HELLO, PVW_RPC_0008, "field 99", "rpc:HelloRequest");
	probe_free(&p);
}

Test(wire_lint, refuses_numbers_that_the_library_would_cut)
{
	Probe p = { 0 };
	Error err;

	probe_byte(&p, 8);
	probe_varint(&p, UINT32_MAX);
	cr_assert(lint(&p, HELLO, &err));
	p.len = 0;
	probe_byte(&p, 8);
	probe_varint(&p, UINT64_C(1) << 32);
	assert_refused(&p, HELLO, PVW_RPC_0009, "4294967296", "rpc:HelloRequest.major_min");
	p.len = 0;
	probe_byte(&p, 2 * 8);
	probe_varint(&p, 2);
	assert_refused(&p, &pvw__v1__pcat_settings__descriptor, PVW_RPC_0009, "bool",
		"rpc:PcatSettings.num_lock");
	probe_free(&p);
}

Test(wire_lint, int32_takes_negative_numbers_of_ten_bytes)
{
	Probe p = { 0 };
	Error err;

	probe_byte(&p, 8);
	probe_varint(&p, (uint64_t)-5);
	cr_assert(lint(&p, &ttrpc__status__descriptor, &err));
	p.len = 0;
	probe_byte(&p, 8);
	probe_varint(&p, UINT64_C(0x80000000));
	assert_refused(
		&p, &ttrpc__status__descriptor, PVW_RPC_0009, "int32", "rpc:Status.code");
	probe_free(&p);
}

Test(wire_lint, refuses_another_wire_type)
{
	Probe p = { 0 };

	probe_field(&p, 1, "x", 1);
	assert_refused(&p, HELLO, PVW_RPC_0010, "expected 0", "rpc:HelloRequest.major_min");
	p.len = 0;
	probe_byte(&p, 3 * 8);
	probe_byte(&p, 1);
	assert_refused(&p, HELLO, PVW_RPC_0010, "expected 2", "rpc:HelloRequest.client_name");
	probe_free(&p);
}

/* A message of every type of the service, mutated: what the lint accepts the library unpacks. */
Test(wire_lint, what_it_accepts_unpacks)
{
	const ProtobufCServiceDescriptor *service = &pvw__v1__worker__descriptor;
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
	size_t accepted = 0, refused = 0;
	Error err;

	for (int round = 0; round < 200000; round++) {
		const ProtobufCMessageDescriptor *message =
			service->methods[probe_random(&random) % service->n_methods].input;
		uint8_t bytes[24];
		const size_t len = probe_random(&random) % sizeof(bytes);

		/* Small numbers make valid tags likely. */
		for (size_t i = 0; i < len; i++) {
			const uint64_t r = probe_random(&random);

			bytes[i] = r & 0x300 ? (uint8_t)(r % 72) : (uint8_t)r;
		}
		if (!wire_lint((Bytes){ bytes, len }, message, no_limits, &err)) {
			refused++;
			continue;
		}
		accepted++;

		ProtobufCMessage *unpacked =
			protobuf_c_message_unpack(message, NULL, len, bytes);

		cr_assert_not_null(unpacked, "round %d: %s", round, message->name);
		protobuf_c_message_free_unpacked(unpacked, NULL);
	}
	cr_assert_gt(accepted, 10000);
	cr_assert_gt(refused, 10000);
}

Test(wire_lint, four_mebibytes_of_flood_end_early)
{
	Probe p = { 0 };
	struct timespec a, b;
	Error err;

	while (p.len < 4 * 1024 * 1024)
		probe_add(&p, "\x2a\x00", 2);
	clock_gettime(CLOCK_MONOTONIC, &a);
	cr_assert_not(lint(&p, HELLO, &err));
	clock_gettime(CLOCK_MONOTONIC, &b);
	cr_assert_eq(err.diagnostic, PVW_RPC_0006);
	cr_assert_lt((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000, 500);
	probe_free(&p);
}
