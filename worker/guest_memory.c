/*
 * Guest memory behind a descriptor and a table of windows.
 */
#include "worker/guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/checked.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"
#include "worker/guest_map.h"

#define PIECE ((size_t)16 * 1024) /* for zeros and comparisons */

static const uint8_t zeros[PIECE];

struct GuestMemory {
	int fd;
	bool owns_fd;
	bool can_map; /* nobody can make the file shorter */
	GuestMap map; /* the last large write, for one like it */
	size_t count;
	GuestWindow windows[]; /* ascending by gpa, disjoint */
};

/*
 * The table.
 */

static bool check_window(const GuestWindow *window, Error *err)
{
	uint64_t end;

	if (window->len == 0 ||
		!is_aligned(window->gpa | window->len | window->offset, PAGE_SIZE))
		return error_set(err, PVW_GUEST_0002,
			"window 0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64
			", expected multiples of 0x1000 and a size",
			window->gpa, window->len, window->offset);
	if (!checked_add_u64(window->gpa, window->len, &end) ||
		!checked_add_u64(window->offset, window->len, &end) || end > INT64_MAX)
		return error_set(err, PVW_GUEST_0002,
			"window 0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64 " wraps around",
			window->gpa, window->len, window->offset);
	return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_gpa(const void *a, const void *b)
{
	return compare_u64(((const GuestWindow *)a)->gpa, ((const GuestWindow *)b)->gpa);
}

static int by_offset(const void *a, const void *b)
{
	return compare_u64(((const GuestWindow *)a)->offset, ((const GuestWindow *)b)->offset);
}

static bool refuse_overlap(
	const char *where, const GuestWindow *a, const GuestWindow *b, Error *err)
{
	return error_set(err, PVW_GUEST_0003,
		"windows 0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64 " and 0x%" PRIx64 ":0x%" PRIx64
		":0x%" PRIx64 " overlap in %s",
		a->gpa, a->len, a->offset, b->gpa, b->len, b->offset, where);
}

/* Sorts by gpa at last; no two windows share a guest address or a byte of the file. */
static bool sort_windows(GuestWindow *windows, size_t count, Error *err)
{
	qsort(windows, count, sizeof(*windows), by_offset);
	for (size_t i = 1; i < count; i++) {
		if (windows[i].offset < windows[i - 1].offset + windows[i - 1].len)
			return refuse_overlap("the file", &windows[i - 1], &windows[i], err);
	}
	qsort(windows, count, sizeof(*windows), by_gpa);
	for (size_t i = 1; i < count; i++) {
		if (windows[i].gpa < windows[i - 1].gpa + windows[i - 1].len)
			return refuse_overlap(
				"guest addresses", &windows[i - 1], &windows[i], err);
	}
	return true;
}

/* A file has an end; a device is believed. */
static bool check_file(int fd, const GuestWindow *windows, size_t count, Error *err)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return error_set(err, PVW_GUEST_0001, "descriptor %d: %s", fd, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return true;
	for (size_t i = 0; i < count; i++) {
		if (windows[i].offset + windows[i].len > (uint64_t)info.st_size)
			return error_set(err, PVW_GUEST_0004,
				"window 0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64
				" in a file of 0x%" PRIx64 " bytes",
				windows[i].gpa, windows[i].len, windows[i].offset,
				(uint64_t)info.st_size);
	}
	return true;
}

static bool fill(GuestMemory *memory, const GuestWindow *windows, size_t count, Error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!check_window(&windows[i], err))
			return false;
		memory->windows[i] = windows[i];
	}
	memory->count = count;
	return sort_windows(memory->windows, count, err) &&
		check_file(memory->fd, memory->windows, count, err);
}

static GuestMemory *allocate(size_t count, Error *err)
{
	GuestMemory *memory;

	if (count > GUEST_MEMORY_MAX_WINDOWS) {
		error_set(err, PVW_GUEST_0005, "%zu windows, at most %d expected", count,
			GUEST_MEMORY_MAX_WINDOWS);
		return NULL;
	}
	memory = calloc(1, sizeof(*memory) + count * sizeof(memory->windows[0]));
	if (!memory)
		error_set(err, PVW_MEM_0001, "no memory for %zu windows", count);
	return memory;
}

bool guest_memory_new(
	int fd, const GuestWindow *windows, size_t count, GuestMemory **out, Error *err)
{
	GuestMemory *memory = allocate(count, err);

	if (!memory) {
		close(fd);
		return false;
	}
	memory->fd = fd;
	memory->owns_fd = true;
	memory->can_map = guest_map_is_safe(fd);
	if (!fill(memory, windows, count, err)) {
		guest_memory_free(memory);
		return false;
	}
	*out = memory;
	return true;
}

static bool parse_fd(const char *text, int *fd)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > INT32_MAX)
		return false;
	*fd = (int)value;
	return true;
}

bool guest_memory_open_fd(const char *place, int *fd, Error *err)
{
	int opened;

	if (strncmp(place, "fd:", 3) != 0) {
		opened = open(place, O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return error_set(err, PVW_GUEST_0001, "%s: %s", place, strerror(errno));
		*fd = opened;
		return true;
	}
	if (!parse_fd(place + 3, &opened))
		return error_set(
			err, PVW_GUEST_0001, "\"%s\", expected fd:N with a number", place);

	const int flags = fcntl(opened, F_GETFL);

	if (flags < 0)
		return error_set(err, PVW_GUEST_0001, "%s: %s", place, strerror(errno));
	if ((flags & O_ACCMODE) != O_RDWR)
		return error_set(
			err, PVW_GUEST_0001, "%s is not open for reading and writing", place);
	(void)fcntl(opened, F_SETFD, FD_CLOEXEC);
	*fd = opened;
	return true;
}

bool guest_memory_open(const char *place, const GuestWindow *windows, size_t count,
	GuestMemory **out, Error *err)
{
	int fd;

	return guest_memory_open_fd(place, &fd, err) &&
		guest_memory_new(fd, windows, count, out, err);
}

/* The window that holds @gpa, or NULL. */
static const GuestWindow *find_window(const GuestMemory *memory, uint64_t gpa)
{
	size_t low = 0, high = memory->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const GuestWindow *window = &memory->windows[middle];

		if (gpa < window->gpa)
			high = middle;
		else if (gpa - window->gpa >= window->len)
			low = middle + 1;
		else
			return window;
	}
	return NULL;
}

static bool check_inside(const GuestMemory *memory, const GuestWindow *window, Error *err)
{
	const GuestWindow *own = find_window(memory, window->gpa);

	if (own && window->gpa - own->gpa <= own->len - 1 &&
		window->len <= own->len - (window->gpa - own->gpa) &&
		window->offset == own->offset + (window->gpa - own->gpa))
		return true;
	return error_set(err, PVW_GUEST_0006,
		"window 0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64
		" does not lie inside a window of the worker",
		window->gpa, window->len, window->offset);
}

bool guest_memory_narrow(const GuestMemory *memory, const GuestWindow *windows, size_t count,
	GuestMemory **out, Error *err)
{
	GuestMemory *narrow = allocate(count, err);

	if (!narrow)
		return false;
	narrow->fd = memory->fd;
	narrow->can_map = memory->can_map;
	if (!fill(narrow, windows, count, err))
		goto fail;
	for (size_t i = 0; i < count; i++) {
		if (!check_inside(memory, &windows[i], err))
			goto fail;
	}
	*out = narrow;
	return true;
fail:
	guest_memory_free(narrow);
	return false;
}

void guest_memory_free(GuestMemory *memory)
{
	if (!memory)
		return;
	guest_map_drop(&memory->map);
	if (memory->owns_fd)
		close(memory->fd);
	free(memory);
}

const GuestWindow *guest_memory_windows(const GuestMemory *memory, size_t *count)
{
	*count = memory->count;
	return memory->windows;
}

/*
 * Access, piece by piece: what lies in one window.
 */

typedef struct Piece {
	uint64_t offset; /* in the file */
	size_t len;
} Piece;

/* The longest piece at @gpa that is backed in one go, at most @len. */
static bool next_piece(
	const GuestMemory *memory, uint64_t gpa, uint64_t len, Piece *out, Error *err)
{
	const GuestWindow *window = find_window(memory, gpa);

	if (!window)
		return error_set(
			err, PVW_GUEST_0007, "no memory at guest address 0x%" PRIx64, gpa);

	const uint64_t inside = gpa - window->gpa;
	const uint64_t left = window->len - inside;

	*out = (Piece){ .offset = window->offset + inside, .len = len < left ? len : left };
	return true;
}

bool guest_memory_check(const GuestMemory *memory, uint64_t gpa, uint64_t len, Error *err)
{
	uint64_t end;
	Piece piece;

	if (!checked_add_u64(gpa, len, &end))
		return error_set(err, PVW_GUEST_0007,
			"0x%" PRIx64 " bytes at guest address 0x%" PRIx64 " wrap around", len,
			gpa);
	while (gpa < end) {
		if (!next_piece(memory, gpa, end - gpa, &piece, err))
			return false;
		gpa += piece.len;
	}
	return true;
}

static bool refuse_access(const char *verb, uint64_t gpa, ssize_t n, Error *err)
{
	return error_set(err, PVW_GUEST_0008, "%s at guest address 0x%" PRIx64 ": %s", verb,
		gpa, n < 0 ? strerror(errno) : "the file ends there");
}

static bool read_piece(
	const GuestMemory *memory, Piece piece, uint64_t gpa, uint8_t *to, Error *err)
{
	while (piece.len > 0) {
		const ssize_t n = pread(memory->fd, to, piece.len, (off_t)piece.offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse_access("read", gpa, n, err);
		to += n;
		gpa += (uint64_t)n;
		piece.offset += (uint64_t)n;
		piece.len -= (size_t)n;
	}
	return true;
}

static bool write_piece(
	GuestMemory *memory, Piece piece, uint64_t gpa, const uint8_t *from, Error *err)
{
	if (memory->can_map &&
		guest_map_write(&memory->map, memory->fd, piece.offset, from, piece.len))
		return true;
	while (piece.len > 0) {
		const ssize_t n = pwrite(memory->fd, from, piece.len, (off_t)piece.offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse_access("write", gpa, n, err);
		from += n;
		gpa += (uint64_t)n;
		piece.offset += (uint64_t)n;
		piece.len -= (size_t)n;
	}
	return true;
}

bool guest_memory_read(
	const GuestMemory *memory, uint64_t gpa, void *data, size_t len, Error *err)
{
	uint8_t *to = data;
	Piece piece;

	if (!guest_memory_check(memory, gpa, len, err))
		return false;
	for (; len > 0; gpa += piece.len, to += piece.len, len -= piece.len) {
		if (!next_piece(memory, gpa, len, &piece, err) ||
			!read_piece(memory, piece, gpa, to, err))
			return false;
	}
	return true;
}

bool guest_memory_write(
	GuestMemory *memory, uint64_t gpa, const void *data, size_t len, Error *err)
{
	const uint8_t *from = data;
	Piece piece;

	if (!guest_memory_check(memory, gpa, len, err))
		return false;
	for (; len > 0; gpa += piece.len, from += piece.len, len -= piece.len) {
		if (!next_piece(memory, gpa, len, &piece, err) ||
			!write_piece(memory, piece, gpa, from, err))
			return false;
	}
	return true;
}

bool guest_memory_zero(GuestMemory *memory, uint64_t gpa, uint64_t len, Error *err)
{
	Piece piece;

	if (!guest_memory_check(memory, gpa, len, err))
		return false;
	for (; len > 0; gpa += piece.len, len -= piece.len) {
		if (!next_piece(memory, gpa, len < PIECE ? len : PIECE, &piece, err) ||
			!write_piece(memory, piece, gpa, zeros, err))
			return false;
	}
	return true;
}

/* Index of the first byte that differs, or @len. */
static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i = 0;

	if (memcmp(a, b, len) == 0)
		return len;
	while (a[i] == b[i])
		i++;
	return i;
}

bool guest_memory_compare(const GuestMemory *memory, uint64_t gpa, const void *data,
	uint64_t len, bool *equal, uint64_t *gpa_of_difference, Error *err)
{
	const uint8_t *expected = data;
	uint8_t *buffer;
	bool same = true, done = true;

	if (!guest_memory_check(memory, gpa, len, err))
		return false;
	buffer = malloc(PIECE);
	if (!buffer)
		return error_set(err, PVW_MEM_0001, "no memory to compare with");
	while (len > 0 && same) {
		const size_t n = len < PIECE ? (size_t)len : PIECE;

		done = guest_memory_read(memory, gpa, buffer, n, err);
		if (!done)
			break;

		const size_t at = first_difference(buffer, expected ? expected : zeros, n);

		same = at == n;
		if (!same)
			*gpa_of_difference = gpa + at;
		gpa += n;
		len -= n;
		expected = expected ? expected + n : NULL;
	}
	free(buffer);
	if (done)
		*equal = same;
	return done;
}
