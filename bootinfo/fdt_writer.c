/*
 * Device trees over libfdt's sequential writer. [DT04] 5
 *
 *	           start                                  start + before
 *	tree       [ header | reservations | names        | structure      ]
 *	libfdt's                     [ its header, no reservations | structure | … ]
 *	                             tokens
 *
 * libfdt's own end of a tree (fdt_finish) goes through all tokens again to move the names, which
 * stand where they shall be here: they get their places when they are put.
 */
#include "bootinfo/fdt_writer.h"

#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "bootinfo/start_sort.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define NODE_NAME_ROOM 64 /* bytes, NUL included */

/* Before the structure of a tree that libfdt has begun: header, a gap, and no reservations. */
#define LIBFDT_HEAD ((size_t)64)
/* What that is more than the least that our tree has there. */
#define LIBFDT_SLACK                                                                           \
	(LIBFDT_HEAD - sizeof(struct fdt_header) - sizeof(struct fdt_reserve_entry))
/* And behind it: the name of all properties, which is empty until it is known. */
#define LIBFDT_TAIL 1
/* libfdt clears all of the memory that it is given first: it is given little, then the rest. */
#define LIBFDT_FIRST (LIBFDT_HEAD + LIBFDT_TAIL)

/* From a property's value back to the place of its name. */
#define NAME_BEFORE_VALUE                                                                      \
	(offsetof(struct fdt_property, data) - offsetof(struct fdt_property, nameoff))

static_assert(sizeof(struct fdt_header) == 40, "[DT04] 5.2");
static_assert(offsetof(FdtReservation, address) == 0, "start_sort");

static uint64_t last_byte(FdtReservation entry)
{
	return entry.size > UINT64_MAX - entry.address ? UINT64_MAX
						       : entry.address + (entry.size - 1);
}

/* @a does not begin above @b; an entry without bytes may lie at the edge of another. */
static bool clash(FdtReservation a, FdtReservation b)
{
	if (a.address == b.address)
		return (a.size && b.size) || a.size == b.size;
	return a.size && b.address <= last_byte(a);
}

static bool fail_clash(FdtReservation a, FdtReservation b, Error *err)
{
	return error_set(err, PVW_TREE_0003,
		"reservations of 0x%" PRIx64 " bytes at 0x%" PRIx64 " and of 0x%" PRIx64
		" at 0x%" PRIx64 ", expected apart",
		a.size, a.address, b.size, b.address);
}

/*
 * Ascending by address, an entry can only be in the way of the one that reaches highest so far,
 * or of one at the same address; of three at one address, two always are in each other's way.
 */
static bool check_ascending(FdtReservationList list, Error *err)
{
	const FdtReservation *all = list.items;
	size_t highest = 0;

	for (size_t i = 1; i < list.count; i++) {
		if (clash(all[highest], all[i]))
			return fail_clash(all[highest], all[i], err);
		if (clash(all[i - 1], all[i]) ||
			(i > 1 && all[i - 2].address == all[i].address))
			return fail_clash(all[i - 1], all[i], err);
		if (all[i].size &&
			(!all[highest].size || last_byte(all[i]) > last_byte(all[highest])))
			highest = i;
	}
	return true;
}

static bool check_reservations(FdtReservationList list, Arena *arena, Error *err)
{
	FdtReservation *sorted;

	for (size_t i = 0; i < list.count; i++) {
		if (!list.items[i].address && !list.items[i].size)
			return error_set(err, PVW_TREE_0002,
				"reservation %zu has address 0 and size 0, which ends the list",
				i);
	}
	sorted = arena_reserve_array(arena, FdtReservation, list.count, err);
	if (!sorted)
		return false;
	if (list.count)
		memcpy(sorted, list.items, list.count * sizeof(*sorted));
	return start_sort(sorted, list.count, sizeof(*sorted), arena, err) &&
		check_ascending((FdtReservationList){ sorted, list.count }, err);
}

static bool fail_space(const FdtWriterSetup *setup, Error *err)
{
	return error_set(
		err, PVW_TREE_0001, "%s: more than %zu bytes", setup->what, setup->limit);
}

/* Bytes before the structure; false if they are more than the whole tree may have. */
static bool measure_head(const FdtWriterSetup *setup, size_t *before)
{
	const size_t entry = sizeof(struct fdt_reserve_entry);
	size_t reservations;

	return checked_mul_size(setup->reserved.count, entry, &reservations) &&
		checked_add_size(reservations, sizeof(struct fdt_header) + entry, before) &&
		checked_add_size(*before, setup->strings_room, before) &&
		*before <= setup->limit;
}

/* Room for libfdt's tree behind the bytes that it leaves free at the beginning of ours. */
static bool begin_tokens(FdtWriter *w, Arena *arena, Error *err)
{
	const FdtWriterSetup *setup = &w->setup;
	const size_t most = setup->limit - w->before;
	const size_t bound = setup->structure_bound < most ? setup->structure_bound : most;
	const size_t ahead = LIBFDT_SLACK + w->before - LIBFDT_HEAD;
	const size_t room = LIBFDT_HEAD + bound + LIBFDT_TAIL + FDT_TAGSIZE;
	uint8_t *memory;

	if (room > INT32_MAX)
		return fail_space(setup, err);
	memory = arena_reserve(arena, ahead + room, 8, err);
	if (!memory)
		return false;
	w->start = memory + LIBFDT_SLACK;
	w->tokens = memory + ahead;
	w->failure = fdt_create(w->tokens, (int)LIBFDT_FIRST);
	if (w->failure == 0)
		w->failure = fdt_finish_reservemap(w->tokens);
	if (w->failure == 0)
		w->failure = fdt_resize(w->tokens, w->tokens, (int)(room - FDT_TAGSIZE));
	if (w->failure == 0 && fdt_off_dt_struct(w->tokens) != LIBFDT_HEAD)
		w->failure = -FDT_ERR_BADLAYOUT;
	return true;
}

bool fdt_writer_begin(const FdtWriterSetup *setup, Arena *arena, FdtWriter *out, Error *err)
{
	FdtWriter w = { .setup = *setup };

	if (!measure_head(setup, &w.before))
		return fail_space(setup, err);
	if (!check_reservations(setup->reserved, arena, err))
		return error_wrap(err, "%s", setup->what);
	w.name_at = arena_array(arena, uint16_t, setup->name_count, err);
	w.strings = arena_reserve(arena, setup->strings_room, 1, err);
	if (!w.name_at || !w.strings || !begin_tokens(&w, arena, err))
		return false;
	*out = w;
	return true;
}

static void put_header(const FdtWriter *w, size_t structure_len)
{
	const size_t strings_at = w->before - w->setup.strings_room;
	void *tree = w->start;

	fdt_set_magic(tree, FDT_MAGIC);
	fdt_set_totalsize(tree, (uint32_t)(w->before + structure_len));
	fdt_set_off_dt_struct(tree, (uint32_t)w->before);
	fdt_set_off_dt_strings(tree, (uint32_t)strings_at);
	fdt_set_off_mem_rsvmap(tree, sizeof(struct fdt_header));
	fdt_set_version(tree, 17);
	fdt_set_last_comp_version(tree, 16);
	fdt_set_boot_cpuid_phys(tree, w->setup.boot_cpu);
	fdt_set_size_dt_strings(tree, (uint32_t)w->strings_len);
	fdt_set_size_dt_struct(tree, (uint32_t)structure_len);
}

/* By hand: libfdt takes an entry of size 0 for the last one. */
static void put_reservations(const FdtWriter *w)
{
	uint8_t *at = w->start + sizeof(struct fdt_header);

	for (size_t i = 0; i < w->setup.reserved.count; i++, at += 16) {
		fdt64_st(at, w->setup.reserved.items[i].address);
		fdt64_st(at + 8, w->setup.reserved.items[i].size);
	}
	memset(at, 0, sizeof(struct fdt_reserve_entry));
}

static void put_strings(const FdtWriter *w)
{
	uint8_t *at = w->start + w->before - w->setup.strings_room;

	if (w->setup.strings_room == 0)
		return;
	memcpy(at, w->strings, w->strings_len);
	memset(at + w->strings_len, 0, w->setup.strings_room - w->strings_len);
}

static bool check_outcome(const FdtWriter *w, Error *err)
{
	if (w->out_of_strings)
		return error_set(err, PVW_TREE_0001,
			"%s: more than %zu bytes of property names", w->setup.what,
			w->setup.strings_room);
	if (w->failure == -FDT_ERR_NOSPACE)
		return fail_space(&w->setup, err);
	if (w->failure || w->depth)
		return error_set(err, PVW_TREE_0004, "%s: %s", w->setup.what,
			w->failure ? fdt_strerror(w->failure) : "a node has no end");
	return true;
}

bool fdt_writer_finish(FdtWriter *w, Arena *arena, Bytes *out, Error *err)
{
	size_t structure_len, total;

	if (!check_outcome(w, err))
		return false;
	structure_len = fdt_size_dt_struct(w->tokens) + (size_t)FDT_TAGSIZE;
	total = w->before + structure_len;
	if (total > w->setup.limit)
		return fail_space(&w->setup, err);
	fdt32_st(w->start + total - FDT_TAGSIZE, FDT_END);
	put_header(w, structure_len);
	put_reservations(w);
	put_strings(w);
	arena_shrink(arena, w->start - LIBFDT_SLACK, LIBFDT_SLACK + total);
	*out = (Bytes){ w->start, total };
	return true;
}

/* The place of a name in the block of names. */
static uint32_t find_name(FdtWriter *w, size_t name)
{
	if (w->name_at[name] == 0) {
		const char *text = w->setup.names[name];
		const size_t size = strlen(text) + 1;

		if (size > w->setup.strings_room - w->strings_len ||
			w->strings_len >= UINT16_MAX) {
			w->out_of_strings = true;
			return 0;
		}
		memcpy(w->strings + w->strings_len, text, size);
		w->name_at[name] = (uint16_t)(w->strings_len + 1);
		w->strings_len += size;
	}
	return w->name_at[name] - 1u;
}

void fdt_put_names(FdtWriter *w, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		find_name(w, i);
}

/* Where the next token will stand. */
static uint8_t *next_token(const FdtWriter *w)
{
	return (uint8_t *)w->tokens + LIBFDT_HEAD + fdt_size_dt_struct(w->tokens);
}

static inline void begin_node(FdtWriter *w, const char *name, size_t len)
{
	if (w->failure)
		return;
	w->failure = fdt_begin_node(w->tokens, name);
	w->depth++;
	for (size_t pad = ~len & 3; pad && !w->failure; pad--)
		next_token(w)[-(ptrdiff_t)pad] = 0;
}

void fdt_put_node(FdtWriter *w, const char *name)
{
	begin_node(w, name, strlen(name));
}

/* Digits are written from the end of the text, then the name before them. */
static inline void put_numbered_node(
	FdtWriter *w, const char *name, uint64_t number, unsigned base)
{
	const size_t len = strlen(name);
	UNINITIALIZED char text[NODE_NAME_ROOM];
	char *at = text + sizeof(text);

	*--at = '\0';
	do
		*--at = "0123456789abcdef"[number % base];
	while (number /= base);
	*--at = '@';
	if (len > (size_t)(at - text)) {
		w->failure = -FDT_ERR_INTERNAL;
		return;
	}
	begin_node(
		w, memcpy(at - len, name, len), (size_t)(text + sizeof(text) - at) + len - 1);
}

void fdt_put_node_at(FdtWriter *w, const char *name, uint64_t address)
{
	put_numbered_node(w, name, address, 16);
}

void fdt_put_node_decimal(FdtWriter *w, const char *name, uint64_t number)
{
	put_numbered_node(w, name, number, 10);
}

void fdt_put_end(FdtWriter *w)
{
	if (w->failure)
		return;
	w->failure = w->depth ? fdt_end_node(w->tokens) : -FDT_ERR_BADSTATE;
	w->depth -= w->depth > 0;
}

size_t fdt_mark(const FdtWriter *w)
{
	return w->failure ? 0 : fdt_size_dt_struct(w->tokens);
}

/* Tokens say nothing of where they stand, so that whole nodes can be repeated byte for byte. */
uint8_t *fdt_put_again(FdtWriter *w, size_t mark, size_t len)
{
	const size_t used = fdt_mark(w);
	uint8_t *at;

	if (w->failure)
		return NULL;
	if (w->depth == 0 || len % FDT_TAGSIZE || len > used || mark > used - len) {
		w->failure = -FDT_ERR_BADSTATE;
		return NULL;
	}
	if (len > fdt_totalsize(w->tokens) - LIBFDT_HEAD - LIBFDT_TAIL - used) {
		w->failure = -FDT_ERR_NOSPACE;
		return NULL;
	}
	at = next_token(w);
	memcpy(at, at - used + mark, len);
	fdt_set_size_dt_struct(w->tokens, (uint32_t)(used + len));
	return at;
}

/* Room for a value, or NULL; libfdt writes the head, to which the name's place is added. */
static uint8_t *take_property(FdtWriter *w, size_t name, size_t len)
{
	void *value = NULL;

	if (w->failure)
		return NULL;
	if (len > w->setup.limit || w->depth == 0)
		w->failure = w->depth ? -FDT_ERR_NOSPACE : -FDT_ERR_BADSTATE;
	else
		w->failure = fdt_property_placeholder(w->tokens, "", (int)len, &value);
	if (w->failure)
		return NULL;
	fdt32_st((uint8_t *)value - NAME_BEFORE_VALUE, find_name(w, name));
	if (len & 3)
		fdt32_st((uint8_t *)value + (len & ~(size_t)3), 0);
	return value;
}

void fdt_put_empty(FdtWriter *w, size_t name)
{
	take_property(w, name, 0);
}

void fdt_put_u32(FdtWriter *w, size_t name, uint32_t value)
{
	uint8_t *at = take_property(w, name, sizeof(value));

	if (at)
		fdt32_st(at, value);
}

void fdt_put_u64(FdtWriter *w, size_t name, uint64_t value)
{
	uint8_t *at = take_property(w, name, sizeof(value));

	if (at)
		fdt64_st(at, value);
}

void fdt_put_u32_list(FdtWriter *w, size_t name, const uint32_t *values, size_t count)
{
	uint8_t *at = take_property(w, name, count * sizeof(*values));

	for (size_t i = 0; at && i < count; i++)
		fdt32_st(at + i * sizeof(*values), values[i]);
}

void fdt_put_u64_list(FdtWriter *w, size_t name, const uint64_t *values, size_t count)
{
	uint8_t *at = take_property(w, name, count * sizeof(*values));

	for (size_t i = 0; at && i < count; i++)
		fdt64_st(at + i * sizeof(*values), values[i]);
}

void fdt_put_windows(FdtWriter *w, size_t name, MemoryRangeList windows)
{
	const size_t tuple = 3 * sizeof(uint64_t);
	uint8_t *at = take_property(w, name, windows.count * tuple);

	for (size_t i = 0; at && i < windows.count; i++, at += tuple) {
		fdt64_st(at, windows.items[i].start);
		fdt64_st(at + 8, windows.items[i].start);
		fdt64_st(at + 16, memory_range_len(windows.items[i]));
	}
}

void fdt_put_bytes(FdtWriter *w, size_t name, Bytes value)
{
	uint8_t *at = take_property(w, name, value.len);

	if (at && value.len)
		memcpy(at, value.data, value.len);
}
