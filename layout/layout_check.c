/*
 * Rules about roles and addresses. What chipset_mmio_resolve says of a part of the claims is what
 * is said here: alone, in pairs, against one range of RAM, by role. So the two cannot disagree.
 */
#include "layout/layout_check.h"

#include <inttypes.h>
#include <string.h>

#include "support/memory_range.h"

#define OLD_SHIM_RANGES 2 /* of a VMBus node: [OVMM] openhcl_boot/src/host_params/mod.rs */

/*
 * What the resolver says of a part.
 */

static bool resolve_part(const MmioClaim *claims, size_t count, MapEntryList map, Arena *arena,
	ChipsetMmioRanges *out, Error *err)
{
	return chipset_mmio_resolve((MmioClaimList){ claims, count }, map, arena, out, err);
}

/* Findings of one diagnostic about claims that each stand alone. */
static void check_alone(
	const LayoutCheckInput *in, uint16_t diagnostic, Arena *arena, Diagnostics *found)
{
	const MmioClaimList claims = in->info->mmio;

	for (size_t i = 0; i < claims.count; i++) {
		ChipsetMmioRanges ranges;
		Error err;

		if (!resolve_part(
			    &claims.items[i], 1, (MapEntryList){ 0 }, arena, &ranges, &err) &&
			err.diagnostic == diagnostic)
			diagnostics_add_error(found, &err);
	}
}

static void check_alignment(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_alone(in, PVW_ROLE_0002, arena, found);
}

static void check_vtl(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_alone(in, PVW_ROLE_0003, arena, found);
}

static void check_unknown(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_alone(in, PVW_ROLE_0004, arena, found);
}

static void check_straddle(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_alone(in, PVW_ROLE_0005, arena, found);
}

static void check_address(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_alone(in, PVW_ROLE_0006, arena, found);
}

/* A claim's range, if it has one. */
static bool range_of(const MmioClaim *claim, MemoryRange *out)
{
	*out = (MemoryRange){ claim->start, claim->start + claim->len };
	return claim->len != 0 && out->end > out->start;
}

/* At most BOOT_INFO_MAX_MMIO claims: all pairs are few. */
static void check_overlap(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	const MmioClaimList claims = in->info->mmio;

	for (size_t i = 0; i < claims.count; i++) {
		for (size_t k = i + 1; k < claims.count; k++) {
			const MmioClaim pair[] = { claims.items[i], claims.items[k] };
			MemoryRange first, second;
			ChipsetMmioRanges ranges;
			Error err;

			if (range_of(&pair[0], &first) && range_of(&pair[1], &second) &&
				memory_range_overlaps(first, second) &&
				!resolve_part(
					pair, 2, (MapEntryList){ 0 }, arena, &ranges, &err) &&
				err.diagnostic == PVW_ROLE_0007)
				diagnostics_add_error(found, &err);
		}
	}
}

static void check_claim_ram(
	const MmioClaim *claim, MapEntryList map, Arena *arena, Diagnostics *found)
{
	MemoryRange range;

	if (!range_of(claim, &range))
		return;
	for (size_t i = 0; i < map.count; i++) {
		ChipsetMmioRanges ranges;
		Error err;

		if (memory_range_overlaps(range, map.items[i].range) &&
			!resolve_part(claim, 1, (MapEntryList){ &map.items[i], 1 }, arena,
				&ranges, &err) &&
			err.diagnostic == PVW_ROLE_0008)
			diagnostics_add_error(found, &err);
	}
}

static void check_ram(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	for (size_t i = 0; i < in->info->mmio.count; i++)
		check_claim_ram(&in->info->mmio.items[i], in->info->map, arena, found);
}

/*
 * Claims of one chipset role.
 */

/* What VTL0's claim would be if it stood alone; UNSPECIFIED for who is nothing on its own. */
static MmioRole role_alone(const MmioClaim *claim, Arena *arena)
{
	ChipsetMmioRanges ranges;
	Error err;

	if (claim->vtl != 0)
		return MMIO_ROLE_UNSPECIFIED;
	if (claim->len == 0)
		return (MmioRole)(claim->role < MMIO_ROLE_COUNT ? claim->role : 0);
	if (!resolve_part(claim, 1, (MapEntryList){ 0 }, arena, &ranges, &err))
		return MMIO_ROLE_UNSPECIFIED;
	if (!memory_range_is_empty(ranges.low))
		return MMIO_ROLE_CHIPSET_LOW;
	return memory_range_is_empty(ranges.high) ? MMIO_ROLE_UNSPECIFIED
						  : MMIO_ROLE_CHIPSET_HIGH;
}

/* The resolver's word on all claims of one role; those of length zero only with @absent. */
static void check_role(const LayoutCheckInput *in, MmioRole role, bool absent,
	uint16_t diagnostic, Arena *arena, Diagnostics *found)
{
	const MmioClaimList claims = in->info->mmio;
	ChipsetMmioRanges ranges;
	MmioClaim *mine;
	size_t count = 0;
	Error err;

	mine = arena_array(arena, MmioClaim, claims.count, &err);
	if (!mine) {
		diagnostics_add_error(found, &err);
		return;
	}
	for (size_t i = 0; i < claims.count; i++) {
		if ((claims.items[i].len || absent) &&
			role_alone(&claims.items[i], arena) == role)
			mine[count++] = claims.items[i];
	}
	if (!resolve_part(mine, count, (MapEntryList){ 0 }, arena, &ranges, &err) &&
		err.diagnostic == diagnostic)
		diagnostics_add_error(found, &err);
}

static void check_conflict(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_role(in, MMIO_ROLE_CHIPSET_LOW, /* absent= */ true, PVW_ROLE_0009, arena, found);
	check_role(in, MMIO_ROLE_CHIPSET_HIGH, /* absent= */ true, PVW_ROLE_0009, arena, found);
}

static void check_fragmented(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	check_role(in, MMIO_ROLE_CHIPSET_LOW, /* absent= */ false, PVW_ROLE_0010, arena, found);
	check_role(
		in, MMIO_ROLE_CHIPSET_HIGH, /* absent= */ false, PVW_ROLE_0010, arena, found);
}

/*
 * What can be run and deserves a look.
 */

static void check_declared(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	(void)arena;
	for (size_t i = 0; i < in->info->mmio.count; i++) {
		const MmioClaim *claim = &in->info->mmio.items[i];

		if (claim->vtl == 0 && claim->role == MMIO_ROLE_UNSPECIFIED && claim->len)
			diagnostics_add(found, PVW_CHECK_0001, claim->place,
				"0x%" PRIx64 "-0x%" PRIx64
				" has no role, expected openhcl,mmio-role 1, 2 or 4",
				claim->start, claim->start + claim->len);
	}
}

static void check_placeholders(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	(void)arena;
	for (size_t i = 0; i < in->info->mmio.count; i++) {
		const MmioClaim *claim = &in->info->mmio.items[i];

		if (claim->vtl == 0 && claim->role == MMIO_ROLE_UNSPECIFIED && !claim->len)
			diagnostics_add(found, PVW_CHECK_0005, claim->place,
				"length 0 at 0x%" PRIx64 " without a role, expected a range",
				claim->start);
	}
}

static void check_low(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	(void)arena;
	if (in->mmio && memory_range_is_empty(in->mmio->low))
		diagnostics_add(found, PVW_CHECK_0002, "dtb:/openhcl",
			"no low window (%s), expected a range that ends at or below 4 GiB",
			role_source_name(in->mmio->low_source));
}

static void check_high(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	uint64_t vtl2 = 0;

	(void)arena;
	if (!in->mmio || !memory_range_is_empty(in->mmio->high))
		return;
	for (size_t i = 0; i < in->mmio->vtl2.count; i++) {
		if (in->mmio->vtl2.items[i].start >= FOUR_GIB)
			vtl2 += memory_range_len(in->mmio->vtl2.items[i]);
	}
	diagnostics_add(found, PVW_CHECK_0003, "dtb:/openhcl",
		"no high window (%s); VTL2 has 0x%" PRIx64 " bytes above 4 GiB",
		role_source_name(in->mmio->high_source), vtl2);
}

static void check_low_end(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	(void)arena;
	if (in->mmio && !memory_range_is_empty(in->mmio->low) && in->mmio->low.end != FOUR_GIB)
		diagnostics_add(found, PVW_CHECK_0004, "dtb:/openhcl",
			"low window " RANGE_FORMAT ", expected an end at 0x100000000",
			RANGE_ARGS(in->mmio->low));
}

static size_t count_vtl0_ranges(const BootInfo *info)
{
	size_t count = 0;

	for (size_t i = 0; i < info->mmio.count; i++)
		count += info->mmio.items[i].vtl == 0 && info->mmio.items[i].len;
	return count;
}

static void check_count(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	const size_t count = count_vtl0_ranges(in->info);

	(void)arena;
	if (count > OLD_SHIM_RANGES)
		diagnostics_add(found, PVW_CHECK_0006, "dtb:/openhcl",
			"%zu MMIO ranges of VTL0, expected at most %d", count, OLD_SHIM_RANGES);
}

/* Older shims cut VTL2's MMIO off the second range without looking whether there is one. */
static void check_pair(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	const size_t count = count_vtl0_ranges(in->info);

	(void)arena;
	if ((isolation_is_isolated(in->info->isolation) || in->info->allocation.vtl2) &&
		count < OLD_SHIM_RANGES)
		diagnostics_add(found, PVW_CHECK_0009, "dtb:/openhcl",
			"%zu MMIO ranges of VTL0, expected %d", count, OLD_SHIM_RANGES);
}

/* [start, start + len) ends above 1 << bits; @len is not 0. */
static bool is_beyond(uint64_t start, uint64_t len, uint8_t bits)
{
	const uint64_t last = start + (len - 1);

	return bits < 64 && (last < start || last >> bits != 0);
}

static void check_width(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	const uint8_t bits = in->physical_address_bits;

	(void)arena;
	for (size_t i = 0; i < in->info->map.count; i++) {
		const MemoryRange range = in->info->map.items[i].range;

		if (!memory_range_is_empty(range) &&
			is_beyond(range.start, memory_range_len(range), bits))
			diagnostics_add(found, PVW_CHECK_0007, "dtb:/openhcl",
				"RAM " RANGE_FORMAT ", expected an end within %u address bits",
				RANGE_ARGS(range), bits);
	}
	for (size_t i = 0; i < in->info->mmio.count; i++) {
		const MmioClaim *claim = &in->info->mmio.items[i];

		if (claim->len && is_beyond(claim->start, claim->len, bits))
			diagnostics_add(found, PVW_CHECK_0007, claim->place,
				"MMIO at 0x%" PRIx64 ", length 0x%" PRIx64
				", expected an end within %u address bits",
				claim->start, claim->len, bits);
	}
}

/* Nodes below as many as there can be: RAM and processors each name at most one. */
static void check_nodes(const LayoutCheckInput *in, Arena *arena, Diagnostics *found)
{
	const size_t most = in->info->map.count + in->info->cpus.count;
	size_t distinct = 0, highest = 0;
	bool *seen;
	Error err;

	seen = arena_array(arena, bool, most, &err);
	if (!seen) {
		diagnostics_add_error(found, &err);
		return;
	}
	for (size_t i = 0; i < most; i++) {
		const uint32_t node = i < in->info->map.count
			? in->info->map.items[i].vnode
			: in->info->cpus.items[i - in->info->map.count].vnode;

		highest = node > highest ? node : highest;
		/* Beyond @most there is a hole whatever else there is. */
		if (node < most && !seen[node]) {
			seen[node] = true;
			distinct++;
		}
	}
	if (most && highest >= distinct)
		diagnostics_add(found, PVW_CHECK_0008, "dtb:/openhcl",
			"node %zu, expected %zu nodes to be 0 to %zu", highest, distinct,
			distinct ? distinct - 1 : 0);
}

/* In the order of the report. */
static const LayoutCheck checks[] = {
	{ "window-alignment", PVW_ROLE_0002, false, check_alignment },
	{ "role-vtl", PVW_ROLE_0003, false, check_vtl },
	{ "role-unknown", PVW_ROLE_0004, false, check_unknown },
	{ "role-straddle", PVW_ROLE_0005, false, check_straddle },
	{ "role-address", PVW_ROLE_0006, false, check_address },
	{ "window-overlap", PVW_ROLE_0007, false, check_overlap },
	{ "ram-overlap", PVW_ROLE_0008, false, check_ram },
	{ "role-conflict", PVW_ROLE_0009, false, check_conflict },
	{ "role-fragmented", PVW_ROLE_0010, false, check_fragmented },
	{ "role-by-address", PVW_CHECK_0001, false, check_declared },
	{ "window-missing", PVW_CHECK_0002, false, check_low },
	{ "high-missing", PVW_CHECK_0003, false, check_high },
	{ "low-ends-at-4g", PVW_CHECK_0004, false, check_low_end },
	{ "window-placeholder", PVW_CHECK_0005, false, check_placeholders },
	{ "window-count", PVW_CHECK_0006, true, check_count },
	{ "window-pair", PVW_CHECK_0009, true, check_pair },
	{ "phys-bits", PVW_CHECK_0007, false, check_width },
	{ "ram-node", PVW_CHECK_0008, false, check_nodes },
};

LayoutCheckList layout_checks(void)
{
	return (LayoutCheckList){ checks, ARRAY_COUNT(checks) };
}

const LayoutCheck *layout_check_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
		if (strcmp(checks[i].name, name) == 0)
			return &checks[i];
	}
	return NULL;
}
