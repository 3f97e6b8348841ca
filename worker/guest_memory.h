/*
 * The one door to the guest's memory: a file and a table of windows into it.
 *
 *	guest    [ gpa .......... gpa + len )
 *	             |
 *	file     [ offset ... offset + len )
 *
 * A window is the promise that these guest addresses lie at that place of the file. Every access
 * is checked against the table first, as a whole; one that crosses from a window into the next is
 * done in pieces. Access is by pread and pwrite, so that a file that shrinks is an error and no
 * signal; where no file can shrink (guest_map.h), what was written before is written by copying.
 * Source: docs/rpc.md, "Guest memory".
 */
#ifndef WORKER_GUEST_MEMORY_H
#define WORKER_GUEST_MEMORY_H

#include "support/bytes.h"
#include "support/error.h"

#define GUEST_MEMORY_MAX_WINDOWS 512

typedef struct GuestWindow {
	uint64_t gpa;    /* multiples of PAGE_SIZE, all three */
	uint64_t len;    /* bytes, not 0 */
	uint64_t offset; /* in the file */
} GuestWindow;

typedef struct GuestMemory GuestMemory;

/**
 * guest_memory_new - memory behind an open descriptor
 * @fd:      readable and writable; owned by the result, also when this fails
 * @windows: any order; touching windows are kept as they are
 *
 * Errors: PVW_GUEST_0002 (BAD_VALUE) empty, unaligned or wrapping window, _0003 (OVERLAP) in
 * guest addresses or in the file, _0004 (NO_SPACE) beyond the end of a regular file, _0005 (LIMIT)
 * more than GUEST_MEMORY_MAX_WINDOWS, _0001 (IO) a descriptor that is not open.
 */
MUST_CHECK bool guest_memory_new(
	int fd, const GuestWindow *windows, size_t count, GuestMemory **out, Error *err);

/** guest_memory_open_fd - the descriptor that "fd:N" or "PATH" names; PVW_GUEST_0001 (IO) */
MUST_CHECK bool guest_memory_open_fd(const char *place, int *fd, Error *err);

/** guest_memory_open - guest_memory_open_fd, then guest_memory_new */
MUST_CHECK bool guest_memory_open(const char *place, const GuestWindow *windows, size_t count,
	GuestMemory **out, Error *err);

/**
 * guest_memory_narrow - the same file, fewer windows
 * @windows: each inside one of @memory's, with the same distance from guest address to offset
 *
 * The result borrows the descriptor: @memory must outlive it. Free it with guest_memory_free.
 *
 * Errors: PVW_GUEST_0006 (DENIED) a window that moves or widens, and those of guest_memory_new.
 */
MUST_CHECK bool guest_memory_narrow(const GuestMemory *memory, const GuestWindow *windows,
	size_t count, GuestMemory **out, Error *err);

/** guest_memory_free - close what it owns; NULL is fine */
void guest_memory_free(GuestMemory *memory);

/** guest_memory_windows - the table, ascending by gpa */
const GuestWindow *guest_memory_windows(const GuestMemory *memory, size_t *count);

/** guest_memory_check - all of [gpa, gpa + len) is backed; PVW_GUEST_0007 (NO_SPACE) */
MUST_CHECK bool guest_memory_check(
	const GuestMemory *memory, uint64_t gpa, uint64_t len, Error *err);

/*
 * Access. Nothing is done unless all of it is backed (PVW_GUEST_0007); the system may still fail
 * half way (PVW_GUEST_0008, IO).
 */
MUST_CHECK bool guest_memory_read(
	const GuestMemory *memory, uint64_t gpa, void *data, size_t len, Error *err);
MUST_CHECK bool guest_memory_write(
	GuestMemory *memory, uint64_t gpa, const void *data, size_t len, Error *err);
MUST_CHECK bool guest_memory_zero(GuestMemory *memory, uint64_t gpa, uint64_t len, Error *err);

/**
 * guest_memory_compare - whether the guest holds these bytes
 * @data:  @len bytes, or NULL for zeros
 * @equal: receives the verdict
 * @gpa_of_difference: receives the first address that differs, if any
 */
MUST_CHECK bool guest_memory_compare(const GuestMemory *memory, uint64_t gpa, const void *data,
	uint64_t len, bool *equal, uint64_t *gpa_of_difference, Error *err);

#endif
