/*
 * Claims from any source to windows by role, in the ten steps of docs/formats.md, "MMIO roles".
 * Each step looks at all claims before the next begins, so that what is reported does not depend
 * on the order in which they came.
 */
#include "layout/chipset_mmio.h"

#include <stdio.h>

#include "bootinfo/boot_info.h"
#include "layout/layout_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"
#include "support/range_list.h"

/* A claim that is not empty, and what became of it. */
typedef struct Piece {
	MemoryRange range;
	const MmioClaim *claim;
	MmioRole role; /* decided, never unspecified */
} Piece;

typedef struct Pieces {
	Piece *items; /* ascending by start once sorted */
	size_t count;
	const MmioClaim *absent[MMIO_ROLE_COUNT]; /* zero-length claims of a chipset role */
} Pieces;

/* Several pieces as text, as many as there is room for. */
typedef struct PieceText {
	const char *place; /* of the first */
	char text[320];
	size_t len;
	size_t left_out;
} PieceText;

static const char *const role_names[] = {
	[MMIO_ROLE_UNSPECIFIED] = "unspecified",
	[MMIO_ROLE_CHIPSET_LOW] = "chipset-low",
	[MMIO_ROLE_CHIPSET_HIGH] = "chipset-high",
	[MMIO_ROLE_VTL2_PRIVATE] = "vtl2-private",
	[MMIO_ROLE_RESERVED] = "reserved",
};
static_assert(ARRAY_COUNT(role_names) == MMIO_ROLE_COUNT, "one name a role");

static const char *const source_names[] = {
	[ROLE_SOURCE_NONE] = "none",
	[ROLE_SOURCE_DECLARED] = "declared",
	[ROLE_SOURCE_BY_ADDRESS] = "by address",
	[ROLE_SOURCE_DECLARED_ABSENT] = "declared absent",
};
static_assert(ARRAY_COUNT(source_names) == ROLE_SOURCE_COUNT, "one name a source");

const char *mmio_role_name(uint32_t role)
{
	return role < MMIO_ROLE_COUNT ? role_names[role] : "unknown";
}

const char *role_source_name(RoleSource source)
{
	return (unsigned int)source < ROLE_SOURCE_COUNT ? source_names[source] : "unknown";
}

static const char *claim_place(const MmioClaim *claim)
{
	return claim->place ? claim->place : "unnamed range";
}

static void piece_text_add(PieceText *t, const MmioClaim *claim, MemoryRange range)
{
	const size_t room = sizeof(t->text) - t->len;
	int len = snprintf(t->text + t->len, room, "%s%s " RANGE_FORMAT, t->len ? ", " : "",
		claim_place(claim), RANGE_ARGS(range));

	if (!t->place)
		t->place = claim_place(claim);
	if (len < 0 || (size_t)len >= room) {
		t->text[t->len] = '\0';
		t->left_out++;
		return;
	}
	t->len += (size_t)len;
}

static bool fail_pieces(Error *err, uint16_t diagnostic, const PieceText *t, const char *why)
{
	if (t->left_out)
		error_set(err, diagnostic, "%s: %s and %zu more", why, t->text, t->left_out);
	else
		error_set(err, diagnostic, "%s: %s", why, t->text);
	return error_at(err, t->place);
}

/* Says what is wrong with one piece; @expected ends the sentence. */
static bool fail_piece(
	Error *err, uint16_t diagnostic, const Piece *piece, const char *expected)
{
	const MmioClaim *claim = piece->claim;

	error_set(err, diagnostic, "%s " RANGE_FORMAT ": role %" PRIu32 " (%s) of vtl %u, %s",
		claim_place(claim), RANGE_ARGS(piece->range), claim->role,
		mmio_role_name(claim->role), claim->vtl, expected);
	return error_at(err, claim_place(claim));
}

/* Step 1 */
static bool claim_range(const MmioClaim *claim, MemoryRange *out, Error *err)
{
	uint64_t end;

	if (is_aligned(claim->start | claim->len, PAGE_SIZE) &&
		checked_add_u64(claim->start, claim->len, &end)) {
		*out = (MemoryRange){ claim->start, end };
		return true;
	}
	error_set(err, PVW_ROLE_0002,
		"%s: base 0x%" PRIx64 ", length 0x%" PRIx64
		", expected multiples of 4096 and a sum below 2^64",
		claim_place(claim), claim->start, claim->len);
	return error_at(err, claim_place(claim));
}

/* Steps 1 and 2: ranges, and what has none */
static bool pieces_from_claims(MmioClaimList claims, Pieces *pieces, Error *err)
{
	for (size_t i = 0; i < claims.count; i++) {
		const MmioClaim *claim = &claims.items[i];
		MemoryRange range;

		if (!claim_range(claim, &range, err))
			return false;
		if (!memory_range_is_empty(range))
			pieces->items[pieces->count++] = (Piece){ range, claim, 0 };
		else if (claim->vtl == 0 &&
			(claim->role == MMIO_ROLE_CHIPSET_LOW ||
				claim->role == MMIO_ROLE_CHIPSET_HIGH))
			pieces->absent[claim->role] = claim;
	}
	return true;
}

static bool pieces_sort(Pieces *pieces, Arena *arena, Error *err)
{
	const size_t count = pieces->count;
	SortKey *keys = arena_reserve_array(arena, SortKey, 2 * count, err);
	Piece *sorted = keys ? arena_reserve_array(arena, Piece, count, err) : NULL;

	if (!sorted)
		return false;
	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ pieces->items[i].range.start, i };
	sort_keys(keys, keys + count, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = pieces->items[keys[i].index];
	pieces->items = sorted;
	return true;
}

static bool straddles_4gib(MemoryRange range)
{
	return range.start < FOUR_GIB && FOUR_GIB < range.end;
}

/* Step 3 */
static bool piece_decide_role(Piece *piece, Error *err)
{
	const MmioClaim *claim = piece->claim;

	if (claim->vtl == 2) {
		if (claim->role != MMIO_ROLE_UNSPECIFIED &&
			claim->role != MMIO_ROLE_VTL2_PRIVATE)
			return fail_piece(
				err, PVW_ROLE_0003, piece, "expected 0 or 3 for vtl 2");
		piece->role = MMIO_ROLE_VTL2_PRIVATE;
		return true;
	}
	if (claim->vtl != 0)
		return fail_piece(err, PVW_ROLE_0003, piece, "expected vtl 0 or 2");
	if (claim->role == MMIO_ROLE_VTL2_PRIVATE)
		return fail_piece(err, PVW_ROLE_0003, piece, "expected 0, 1, 2 or 4 for vtl 0");
	if (claim->role >= MMIO_ROLE_COUNT)
		return fail_piece(err, PVW_ROLE_0004, piece, "expected 0, 1, 2 or 4");
	if (claim->role != MMIO_ROLE_UNSPECIFIED)
		piece->role = (MmioRole)claim->role;
	else if (straddles_4gib(piece->range))
		return fail_piece(err, PVW_ROLE_0005, piece,
			"expected an end at or below 0x100000000 or a start at or above it");
	else
		piece->role = piece->range.end <= FOUR_GIB ? MMIO_ROLE_CHIPSET_LOW
							   : MMIO_ROLE_CHIPSET_HIGH;
	return true;
}

/* Step 4: every consumer depends on it, so a declaration does not change it. */
static bool piece_check_address(const Piece *piece, Error *err)
{
	if (piece->role == MMIO_ROLE_CHIPSET_LOW && piece->range.end > FOUR_GIB)
		return fail_piece(
			err, PVW_ROLE_0006, piece, "expected an end at or below 0x100000000");
	if (piece->role == MMIO_ROLE_CHIPSET_HIGH && piece->range.start < FOUR_GIB)
		return fail_piece(
			err, PVW_ROLE_0006, piece, "expected a start at or above 0x100000000");
	if (piece->role == MMIO_ROLE_RESERVED && straddles_4gib(piece->range))
		return fail_piece(err, PVW_ROLE_0005, piece,
			"expected an end at or below 0x100000000 or a start at or above it");
	return true;
}

/* Step 5 */
static bool pieces_check_apart(const Pieces *pieces, Error *err)
{
	for (size_t i = 1; i < pieces->count; i++) {
		const Piece *a = &pieces->items[i - 1], *b = &pieces->items[i];
		PieceText t = { 0 };

		if (a->range.end <= b->range.start)
			continue;
		piece_text_add(&t, a->claim, a->range);
		piece_text_add(&t, b->claim, b->range);
		return fail_pieces(
			err, PVW_ROLE_0007, &t, "mmio ranges overlap, expected them apart");
	}
	return true;
}

/* Step 6 */
static bool pieces_check_ram(const Pieces *pieces, MapEntryList map, Error *err)
{
	for (size_t i = 0; i < map.count; i++) {
		const MapEntry *ram = &map.items[i];
		const size_t after = range_list_after(range_view(*pieces), ram->range.start);
		const Piece *piece = &pieces->items[after];

		if (after == pieces->count || !memory_range_overlaps(piece->range, ram->range))
			continue;
		error_set(err, PVW_ROLE_0008,
			"%s " RANGE_FORMAT " (%s) overlaps RAM " RANGE_FORMAT
			" (type %d, node %" PRIu32 "), expected them apart",
			claim_place(piece->claim), RANGE_ARGS(piece->range),
			mmio_role_name(piece->role), RANGE_ARGS(ram->range), (int)ram->type,
			ram->vnode);
		return error_at(err, claim_place(piece->claim));
	}
	return true;
}

static PieceText pieces_of_role(const Pieces *pieces, MmioRole role)
{
	PieceText t = { 0 };

	for (size_t i = 0; i < pieces->count; i++) {
		if (pieces->items[i].role == role)
			piece_text_add(&t, pieces->items[i].claim, pieces->items[i].range);
	}
	return t;
}

/* Step 7 */
static bool pieces_check_absent(const Pieces *pieces, MmioRole role, Error *err)
{
	const MmioClaim *absent = pieces->absent[role];
	PieceText t;

	if (!absent)
		return true;
	t = pieces_of_role(pieces, role);
	if (!t.len && !t.left_out)
		return true;
	fail_pieces(err, PVW_ROLE_0009, &t, "but present, expected no range");
	return error_wrap(err, "%s declared absent by %s (0x%" PRIx64 ", length 0)",
		mmio_role_name(role), claim_place(absent), absent->start);
}

/* Step 8: @out is ascending, apart, and in @arena. */
static bool pieces_merge_role(
	const Pieces *pieces, MmioRole role, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *merged = arena_reserve_array(arena, MemoryRange, pieces->count, err);
	size_t count = 0;

	if (!merged)
		return false;
	for (size_t i = 0; i < pieces->count; i++) {
		const Piece *piece = &pieces->items[i];

		if (piece->role != role)
			continue;
		if (count && merged[count - 1].end == piece->range.start)
			merged[count - 1].end = piece->range.end;
		else
			merged[count++] = piece->range;
	}
	arena_shrink(arena, merged, count * sizeof(*merged));
	*out = (MemoryRangeList){ merged, count };
	return true;
}

static RoleSource pieces_source(const Pieces *pieces, MmioRole role)
{
	RoleSource source =
		pieces->absent[role] ? ROLE_SOURCE_DECLARED_ABSENT : ROLE_SOURCE_NONE;

	for (size_t i = 0; i < pieces->count; i++) {
		if (pieces->items[i].role != role)
			continue;
		if (pieces->items[i].claim->role == role)
			return ROLE_SOURCE_DECLARED;
		source = ROLE_SOURCE_BY_ADDRESS;
	}
	return source;
}

/* Steps 8 and 9 of a role that has one window at most. */
static bool pieces_window(const Pieces *pieces, MmioRole role, Arena *arena,
	MemoryRange *window, RoleSource *source, Error *err)
{
	MemoryRangeList merged;
	PieceText t;

	if (!pieces_merge_role(pieces, role, arena, &merged, err))
		return false;
	if (merged.count > 1) {
		t = pieces_of_role(pieces, role);
		fail_pieces(err, PVW_ROLE_0010, &t,
			"in pieces that do not touch, expected one range");
		return error_wrap(err, "%s", mmio_role_name(role));
	}
	*window = merged.count ? merged.items[0] : MEMORY_RANGE_EMPTY;
	*source = pieces_source(pieces, role);
	return true;
}

bool chipset_mmio_resolve(MmioClaimList claims, MapEntryList map, Arena *arena,
	ChipsetMmioRanges *out, Error *err)
{
	Pieces pieces = { .items = arena_reserve_array(arena, Piece, claims.count, err) };
	ChipsetMmioRanges ranges = { 0 };

	if (!pieces.items || !pieces_from_claims(claims, &pieces, err) ||
		!pieces_sort(&pieces, arena, err))
		return false;
	for (size_t i = 0; i < pieces.count; i++) {
		if (!piece_decide_role(&pieces.items[i], err))
			return false;
	}
	for (size_t i = 0; i < pieces.count; i++) {
		if (!piece_check_address(&pieces.items[i], err))
			return false;
	}
	if (!pieces_check_apart(&pieces, err) || !pieces_check_ram(&pieces, map, err) ||
		!pieces_check_absent(&pieces, MMIO_ROLE_CHIPSET_LOW, err) ||
		!pieces_check_absent(&pieces, MMIO_ROLE_CHIPSET_HIGH, err))
		return false;
	if (!pieces_window(&pieces, MMIO_ROLE_CHIPSET_LOW, arena, &ranges.low,
		    &ranges.low_source, err) ||
		!pieces_window(&pieces, MMIO_ROLE_CHIPSET_HIGH, arena, &ranges.high,
			&ranges.high_source, err) ||
		!pieces_merge_role(&pieces, MMIO_ROLE_VTL2_PRIVATE, arena, &ranges.vtl2, err) ||
		!pieces_merge_role(&pieces, MMIO_ROLE_RESERVED, arena, &ranges.reserved, err))
		return false;
	*out = ranges;
	return true;
}
