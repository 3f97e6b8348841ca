/*
 * Page tables after a move: first every entry is looked at once, and what must go elsewhere is
 * taken out; then it is put where it belongs, in new tables if need be.
 * Source: [SDM3] 4.5; [ARM] D8.3
 */
#include "loaders/igvm_relocate.h"

#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

#define ENTRIES 512
#define INDEX_BITS 9
#define TABLE_SIZE ((size_t)PAGE_SIZE)

/* How an architecture writes its entries; levels count from 0, the one of pages. */
typedef struct EntryFormat {
	uint64_t address; /* bits of a GPA */
	uint64_t table;   /* flags of an entry that leads to a table */
} EntryFormat;

static const EntryFormat formats[] = {
	/* present, writable, accessed */
	[GUEST_ARCH_X86_64] = { UINT64_C(0x000ffffffffff000), 0x23 },
	[GUEST_ARCH_AARCH64] = { UINT64_C(0x0000fffffffff000), 0x3 },
};
static_assert(ARRAY_COUNT(formats) == GUEST_ARCH_COUNT, "one row an architecture");

typedef enum EntryKind { ENTRY_NONE, ENTRY_TABLE, ENTRY_LEAF } EntryKind;

static EntryKind x86_kind(uint64_t entry, unsigned level)
{
	if (!(entry & 1))
		return ENTRY_NONE;
	return level == 0 || (level < 3 && (entry & 0x80)) ? ENTRY_LEAF : ENTRY_TABLE;
}

static EntryKind arm64_kind(uint64_t entry, unsigned level)
{
	const unsigned bits = entry & 3;

	if (bits == 3)
		return level == 0 ? ENTRY_LEAF : ENTRY_TABLE;
	return bits == 1 && (level == 1 || level == 2) ? ENTRY_LEAF : ENTRY_NONE;
}

/* A mapping on its way. */
typedef struct Leaf {
	uint64_t address, entry;
	unsigned level;
} Leaf;

typedef struct Mover {
	const IgvmTables *in;
	const IgvmMove *move;
	const EntryFormat *format;
	uint8_t *bytes; /* room for @capacity tables */
	size_t count, capacity;
	bool *seen; /* one a table of the file */
	Leaf *leaves;
	size_t leaf_count;
} Mover;

uint64_t igvm_move(const IgvmMove *move, uint64_t gpa)
{
	for (size_t i = 0; i < ARRAY_COUNT(move->ranges); i++) {
		if (memory_range_contains_address(move->ranges[i], gpa))
			return gpa + move->offset;
	}
	return gpa;
}

static EntryKind kind_of(const Mover *m, uint64_t entry, unsigned level)
{
	return m->in->arch == GUEST_ARCH_AARCH64 ? arm64_kind(entry, level)
						 : x86_kind(entry, level);
}

static uint64_t span_of(unsigned level)
{
	return PAGE_SIZE << (INDEX_BITS * level);
}

static uint64_t leaf_gpa(const Mover *m, uint64_t entry, unsigned level)
{
	return entry & m->format->address & ~(span_of(level) - 1);
}

static uint64_t with_gpa(const Mover *m, uint64_t entry, unsigned level, uint64_t gpa)
{
	const uint64_t bits = m->format->address & ~(span_of(level) - 1);

	return (entry & ~bits) | (gpa & bits);
}

static uint64_t load(const Mover *m, size_t table, size_t index)
{
	uint64_t entry;

	memcpy(&entry, m->bytes + table * TABLE_SIZE + index * sizeof(entry), sizeof(entry));
	return entry;
}

static void store(Mover *m, size_t table, size_t index, uint64_t entry)
{
	memcpy(m->bytes + table * TABLE_SIZE + index * sizeof(entry), &entry, sizeof(entry));
}

static bool offset_fits(const Mover *m, uint64_t address, unsigned level, Error *err)
{
	return is_aligned(m->move->offset, span_of(level)) ||
		error_set(err, PVW_IGVM_0019,
			"0x%" PRIx64 " is mapped in a piece of 0x%" PRIx64
			" bytes, expected an offset that is a multiple of it, not 0x%" PRIx64,
			address, span_of(level), m->move->offset);
}

/* How much of a mapping moves, and whether all that moves stays in it. */
typedef struct Share {
	uint64_t bytes;
	bool stays;
} Share;

static Share moving_share(const IgvmMove *move, MemoryRange mapped)
{
	Share share = { .stays = true };

	for (size_t i = 0; i < ARRAY_COUNT(move->ranges); i++) {
		const MemoryRange part = memory_range_intersection(move->ranges[i], mapped);
		const MemoryRange moved = { part.start + move->offset,
			part.end + move->offset };

		if (memory_range_is_empty(part))
			continue;
		share.bytes += memory_range_len(part);
		share.stays = share.stays && moved.start <= moved.end &&
			memory_range_contains(mapped, moved);
	}
	return share;
}

/* Somewhere else mapped: the address stays, what is behind it moved. */
static bool redirect(Mover *m, size_t table, size_t index, const Leaf *leaf, uint64_t gpa,
	uint64_t moving, Error *err)
{
	if (moving != span_of(leaf->level))
		return error_set(err, PVW_IGVM_0019,
			"0x%" PRIx64 " leads to 0x%" PRIx64 ", of which 0x%" PRIx64
			" bytes move, expected none or 0x%" PRIx64,
			leaf->address, gpa, moving, span_of(leaf->level));
	if (!offset_fits(m, leaf->address, leaf->level, err))
		return false;
	store(m, table, index, with_gpa(m, leaf->entry, leaf->level, gpa + m->move->offset));
	return true;
}

static bool look_at_leaf(Mover *m, size_t table, size_t index, const Leaf *leaf, Error *err)
{
	const uint64_t gpa = leaf_gpa(m, leaf->entry, leaf->level);
	const Share share =
		moving_share(m->move, (MemoryRange){ gpa, gpa + span_of(leaf->level) });

	if (share.bytes == 0)
		return true;
	if (gpa != leaf->address)
		return redirect(m, table, index, leaf, gpa, share.bytes, err);
	if (share.stays)
		return true;
	if (!offset_fits(m, leaf->address, leaf->level, err))
		return false;
	m->leaves[m->leaf_count++] = (Leaf){
		.address = leaf->address + m->move->offset,
		.entry = with_gpa(m, leaf->entry, leaf->level, gpa + m->move->offset),
		.level = leaf->level,
	};
	/* What lies beside the region in the same piece stays where it is, and so mapped. */
	if (share.bytes == span_of(leaf->level))
		store(m, table, index, 0);
	return true;
}

static bool table_index(const Mover *m, uint64_t gpa, size_t *out, Error *err)
{
	const uint64_t at = (gpa - m->in->region.start) / PAGE_SIZE;

	if (at >= m->in->used.len / TABLE_SIZE || m->seen[at])
		return error_set(err, PVW_IGVM_0018,
			"table at 0x%" PRIx64 ", expected one of the %zu in use, once", gpa,
			m->in->used.len / TABLE_SIZE);
	m->seen[at] = true;
	*out = (size_t)at;
	return true;
}

/* Every table is entered once, so this ends; it is at most four calls deep. */
static bool look_at_table(Mover *m, size_t table, unsigned level, uint64_t address, Error *err)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		const uint64_t entry = load(m, table, i);
		const EntryKind kind = kind_of(m, entry, level);
		const Leaf leaf = { address + i * span_of(level), entry, level };
		const uint64_t gpa = entry & m->format->address;
		size_t next = 0;

		if (kind == ENTRY_LEAF && !look_at_leaf(m, table, i, &leaf, err))
			return false;
		/* Tables of somebody else's are left alone. */
		if (kind != ENTRY_TABLE || !memory_range_contains_address(m->in->region, gpa))
			continue;
		store(m, table, i, with_gpa(m, entry, 0, gpa + m->move->offset));
		if (!table_index(m, gpa, &next, err) ||
			!look_at_table(m, next, level - 1, leaf.address, err))
			return false;
	}
	return true;
}

static bool add_table(Mover *m, size_t *out, Error *err)
{
	if (m->count == m->capacity)
		return error_set(err, PVW_IGVM_0021,
			"%zu tables are needed, expected at most %zu as their region has room",
			m->count + 1, m->capacity);
	memset(m->bytes + m->count * TABLE_SIZE, 0, TABLE_SIZE);
	*out = m->count++;
	return true;
}

static bool conflict(const Leaf *leaf, Error *err)
{
	return error_set(err, PVW_IGVM_0020,
		"0x%" PRIx64 " is mapped already, expected room for what moves there",
		leaf->address);
}

/* The table below an entry; made if there is none. *@done: a larger piece maps it already. */
static bool descend(
	Mover *m, size_t *table, unsigned level, const Leaf *leaf, bool *done, Error *err)
{
	const MemoryRange moved = { m->in->region.start + m->move->offset,
		m->in->region.start + m->move->offset + m->count * TABLE_SIZE };
	const size_t index = leaf->address / span_of(level) % ENTRIES;
	const uint64_t entry = load(m, *table, index);
	const uint64_t gpa = entry & m->format->address;
	size_t next = 0;

	switch (kind_of(m, entry, level)) {
	case ENTRY_NONE:
		if (!add_table(m, &next, err))
			return false;
		store(m, *table, index, (moved.start + next * TABLE_SIZE) | m->format->table);
		*table = next;
		return true;
	case ENTRY_LEAF:
		*done = true;
		/* It must say the same: what moved was mapped to itself. */
		return leaf_gpa(m, entry, level) == (leaf->address & ~(span_of(level) - 1)) ||
			conflict(leaf, err);
	case ENTRY_TABLE:
		if (!memory_range_contains_address(moved, gpa))
			return conflict(leaf, err);
		*table = (size_t)((gpa - moved.start) / TABLE_SIZE);
		return true;
	}
	return conflict(leaf, err);
}

static bool put_leaf(Mover *m, size_t root, const Leaf *leaf, Error *err)
{
	const size_t index = leaf->address / span_of(leaf->level) % ENTRIES;
	size_t table = root;
	bool done = false;
	uint64_t entry;

	for (unsigned level = m->in->levels - 1; level > leaf->level && !done; level--) {
		if (!descend(m, &table, level, leaf, &done, err))
			return false;
	}
	if (done)
		return true;
	entry = load(m, table, index);
	if (kind_of(m, entry, leaf->level) == ENTRY_TABLE ||
		(kind_of(m, entry, leaf->level) == ENTRY_LEAF &&
			leaf_gpa(m, entry, leaf->level) != leaf->address))
		return conflict(leaf, err);
	store(m, table, index, leaf->entry);
	return true;
}

static bool prepare(Mover *m, Arena *arena, Error *err)
{
	const size_t used = m->in->used.len / TABLE_SIZE;
	const uint64_t room = memory_range_len(m->in->region) / PAGE_SIZE;

	if (room > IGVM_MAX_TABLES || used > room)
		return error_set(err, PVW_IGVM_0010,
			"0x%" PRIx64 " pages for tables and %zu in use, expected at most %d",
			room, used, IGVM_MAX_TABLES);
	m->capacity = (size_t)room;
	m->count = used;
	m->bytes = arena_reserve(arena, m->capacity * TABLE_SIZE, 8, err);
	m->seen = arena_array(arena, bool, used, err);
	m->leaves = arena_reserve_array(arena, Leaf, used * ENTRIES, err);
	if (!m->bytes || !m->seen || !m->leaves)
		return false;
	if (used)
		memcpy(m->bytes, m->in->used.data, m->in->used.len);
	return true;
}

bool igvm_tables_move(
	const IgvmTables *tables, const IgvmMove *move, Arena *arena, Bytes *out, Error *err)
{
	Mover m = { .in = tables, .move = move, .format = &formats[tables->arch] };
	size_t root = 0;

	if (!memory_range_contains_address(tables->region, tables->root))
		return error_set(err, PVW_IGVM_0017,
			"the first table is at 0x%" PRIx64 ", expected inside " RANGE_FORMAT,
			tables->root, RANGE_ARGS(tables->region));
	if (!prepare(&m, arena, err) || !table_index(&m, tables->root, &root, err) ||
		!look_at_table(&m, root, tables->levels - 1, 0, err))
		return false;
	for (size_t i = 0; i < m.leaf_count; i++) {
		if (!put_leaf(&m, root, &m.leaves[i], err))
			return false;
	}
	*out = (Bytes){ m.bytes, m.count * TABLE_SIZE };
	return true;
}
