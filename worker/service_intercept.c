/*
 * What a running guest's processors do, as the host intercepts it.
 *
 * A call is judged as a whole before its first item takes effect: a batch that no machine could
 * have sent changes nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "worker/convert.h"
#include "worker/service_internal.h"

#define LAST_PORT 0xffffu

typedef Pvw__V1__Intercept Item;

/*
 * Claims.
 */

static bool port_claims_out(const PcatClaim *claims, size_t count, Arena *arena,
	Pvw__V1__GetClaimsResponse *out, Error *err)
{
	size_t n = 0;

	out->ports = message_list(arena, &pvw__v1__port_range__descriptor, count, err);
	if (!out->ports)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!claims[i].is_port)
			continue;
		out->ports[n]->first = (uint32_t)claims[i].first;
		out->ports[n]->last = (uint32_t)claims[i].last;
		out->ports[n++]->device = convert_text_out(claims[i].name);
	}
	out->n_ports = n;
	return true;
}

/* A ROM that shadows RAM has no role among MMIO; the other lies in the low window. */
static Pvw__V1__MmioRole role_of(const PcatClaim *claim, MemoryRange low)
{
	return claim->first >= low.start && claim->last < low.end
		? PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW
		: PVW__V1__MMIO_ROLE__MMIO_ROLE_UNSPECIFIED;
}

static bool memory_claims_out(const PcatClaim *claims, size_t count, MemoryRange low,
	Arena *arena, Pvw__V1__GetClaimsResponse *out, Error *err)
{
	size_t n = 0;

	out->mmio = message_list(arena, &pvw__v1__mmio_range__descriptor, count, err);
	if (!out->mmio)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (claims[i].is_port)
			continue;
		out->mmio[n]->start = claims[i].first;
		out->mmio[n]->size = claims[i].last - claims[i].first + 1;
		out->mmio[n]->role = role_of(&claims[i], low);
		out->mmio[n++]->owner = convert_text_out(claims[i].name);
	}
	out->n_mmio = n;
	return true;
}

bool service_get_claims(const Call *call, const Pvw__V1__GetClaimsRequest *in,
	Pvw__V1__GetClaimsResponse *out, Error *err)
{
	const Config *config = session_config(call->service->session);
	PcatClaim claims[PCAT_MAX_CLAIMS];
	const size_t count = intercepts_claims(call->service->intercepts, claims);

	(void)in;
	return count == 0 ||
		(port_claims_out(claims, count, call->arena, out, err) &&
			memory_claims_out(
				claims, count, config->mmio.low, call->arena, out, err));
}

/*
 * What is refused.
 */

static bool is_width(uint32_t width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static bool is_port_kind(Pvw__V1__InterceptKind kind)
{
	return kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_READ ||
		kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_WRITE;
}

static bool is_read_kind(Pvw__V1__InterceptKind kind)
{
	return kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_READ ||
		kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_READ;
}

static bool check_generation_id(const Item *item, Error *err)
{
	if (item->data.len == GENERATION_ID_SIZE && !item->address && !item->width &&
		!item->count)
		return true;
	return error_set(err, PVW_INTERCEPT_0001,
		"a generation id of %zu bytes, address 0x%" PRIx64
		", width %u and count %u, expected %d bytes and nothing else",
		item->data.len, item->address, item->width, item->count, GENERATION_ID_SIZE);
}

/* Repetitions, from 1 on. */
static bool check_amount(const Item *item, uint64_t *count, Error *err)
{
	const bool is_read = is_read_kind(item->kind);

	*count = is_read ? (item->count ? item->count : 1) : item->data.len / item->width;
	if (*count * item->width > INTERCEPT_MAX_BYTES)
		return error_set(err, PVW_INTERCEPT_0003,
			"%" PRIu64 " times %u bytes, expected at most %u", *count, item->width,
			INTERCEPT_MAX_BYTES);
	if (is_read && item->data.len)
		return error_set(err, PVW_INTERCEPT_0001,
			"a read with %zu bytes of data, expected none", item->data.len);
	if (is_read)
		return true;
	if (*count == 0 || item->data.len % item->width)
		return error_set(err, PVW_INTERCEPT_0001,
			"a write of %zu bytes, expected a multiple of its width %u",
			item->data.len, item->width);
	return item->count == 0 || item->count == *count ||
		error_set(err, PVW_INTERCEPT_0001,
			"a count of %u, expected %" PRIu64 " as its data says", item->count,
			*count);
}

static bool check_access(const Item *item, Error *err)
{
	uint64_t count, end;

	if (!is_width(item->width))
		return error_set(err, PVW_INTERCEPT_0001,
			"width %u, expected 1, 2, 4 or 8 bytes", item->width);
	if (!check_amount(item, &count, err))
		return false;
	if (is_port_kind(item->kind) && item->address > LAST_PORT)
		return error_set(err, PVW_INTERCEPT_0001,
			"port 0x%" PRIx64 ", expected at most 0x%x", item->address, LAST_PORT);
	return !__builtin_add_overflow(item->address, count * item->width - 1, &end) ||
		error_set(err, PVW_INTERCEPT_0001,
			"address 0x%" PRIx64 " and %" PRIu64
			" bytes, expected the end of the address space behind them",
			item->address, count * item->width);
}

static bool check_item(const Facts *facts, const Item *item, Error *err)
{
	if (facts && item->vp_index >= facts->topology.count)
		return error_set(err, PVW_INTERCEPT_0002,
			"processor %u, expected one below %zu", item->vp_index,
			facts->topology.count);
	if (item->kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_UNSPECIFIED)
		return error_set(err, PVW_INTERCEPT_0001,
			"no kind, expected a port, an address or a generation id");
	if (item->kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_GENERATION_ID)
		return check_generation_id(item, err);
	return check_access(item, err);
}

static bool check_items(
	const Call *call, const Pvw__V1__HandleInterceptsRequest *in, Error *err)
{
	const Facts *facts = session_facts(call->service->session);

	for (size_t i = 0; i < in->n_items; i++) {
		if (!check_item(facts, in->items[i], err))
			return error_wrap(err, "items[%zu]", i);
	}
	return true;
}

/*
 * What is answered.
 */

static const Pvw__V1__InterceptResult results[INTERCEPT_VERDICT_COUNT] = {
	[INTERCEPT_VERDICT_DONE] = PVW__V1__INTERCEPT_RESULT__INTERCEPT_DONE,
	[INTERCEPT_VERDICT_NOT_CLAIMED] = PVW__V1__INTERCEPT_RESULT__INTERCEPT_NOT_CLAIMED,
	[INTERCEPT_VERDICT_FILTERED] = PVW__V1__INTERCEPT_RESULT__INTERCEPT_FILTERED,
	[INTERCEPT_VERDICT_BAD_WIDTH] = PVW__V1__INTERCEPT_RESULT__INTERCEPT_BAD_WIDTH,
	[INTERCEPT_VERDICT_DEVICE_ERROR] = PVW__V1__INTERCEPT_RESULT__INTERCEPT_DEVICE_ERROR,
};

static PcatOperationKind kind_of(const Item *item)
{
	const bool is_read = is_read_kind(item->kind);

	if (is_port_kind(item->kind))
		return is_read ? PCAT_PORT_READ : PCAT_PORT_WRITE;
	return is_read ? PCAT_MEMORY_READ : PCAT_MEMORY_WRITE;
}

static bool take_access(const Call *call, const Item *item, Pvw__V1__InterceptAnswer *answer,
	InterceptOutcome *outcome, Error *err)
{
	const bool is_read = is_read_kind(item->kind);
	const uint32_t given = item->count ? item->count : 1;
	const Intercept access = {
		.kind = kind_of(item),
		.address = item->address,
		.width = item->width,
		.count = is_read ? given : (uint32_t)(item->data.len / item->width),
		.data = item->data.data,
	};
	const size_t len = is_read ? (size_t)access.count * access.width : 0;
	uint8_t *data = arena_reserve(call->arena, len, 8, err);

	if (!data)
		return false;
	intercepts_take(call->service->intercepts, &access, data, outcome);
	/* Whoever answers it in our place decides what is read. */
	if (outcome->verdict != INTERCEPT_VERDICT_NOT_CLAIMED)
		answer->data = (ProtobufCBinaryData){ len, data };
	return true;
}

static bool replay_out(const Call *call, Pvw__V1__InterceptAnswer *answer, Error *err)
{
	RegisterSet set;

	answer->set = message_list(call->arena, &pvw__v1__register_set__descriptor, 1, err);
	if (!answer->set ||
		!intercepts_replayed(call->service->intercepts, call->arena, &set, err) ||
		!convert_register_set_out(&set, call->arena, answer->set[0], err))
		return false;
	answer->n_set = 1;
	return true;
}

static bool take_item(
	const Call *call, const Item *item, Pvw__V1__InterceptAnswer *answer, Error *err)
{
	InterceptOutcome outcome;

	if (item->kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_GENERATION_ID)
		intercepts_renew_generation_id(
			call->service->intercepts, item->data.data, &outcome);
	else if (!take_access(call, item, answer, &outcome, err))
		return false;
	answer->result = results[outcome.verdict];
	answer->defer_ns = outcome.defer_ns;
	answer->pulse_gpe0 = outcome.pulse_gpe0;
	return !outcome.replay_mtrrs || replay_out(call, answer, err);
}

bool service_handle_intercepts(const Call *call, const Pvw__V1__HandleInterceptsRequest *in,
	Pvw__V1__HandleInterceptsResponse *out, Error *err)
{
	if (!check_items(call, in, err))
		return false;
	out->answers = message_list(
		call->arena, &pvw__v1__intercept_answer__descriptor, in->n_items, err);
	if (!out->answers)
		return false;
	out->n_answers = in->n_items;
	for (size_t i = 0; i < in->n_items; i++) {
		if (!take_item(call, in->items[i], out->answers[i], err))
			return false;
	}
	return true;
}
