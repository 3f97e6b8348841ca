/*
 * A piece of guest memory, mapped: for writing what was written before at the speed of a copy.
 *
 * Only of a memory file that is sealed against shrinking: nothing can take its pages away, so that
 * no access to the mapping is ever a signal. And only where its pages are there already: to fill a
 * hole, a write of whole pages is cheaper than a fault on each of them.
 */
#ifndef WORKER_GUEST_MAP_H
#define WORKER_GUEST_MAP_H

#include "support/bytes.h"

#define GUEST_MAP_MIN ((size_t)1024 * 1024)       /* what is worth a mapping, bytes */
#define GUEST_MAP_MAX ((size_t)128 * 1024 * 1024) /* mapped at once, bytes */

/* Zero-initialised is nothing mapped. */
typedef struct GuestMap {
	uint8_t *at;
	uint64_t offset; /* in the file */
	size_t len;      /* bytes */
} GuestMap;

/** guest_map_is_safe - is @fd a memory file that nobody can make shorter? */
bool guest_map_is_safe(int fd);

/**
 * guest_map_write - copy @len bytes to @offset of the file
 * @fd: one that guest_map_is_safe has said yes to; the range lies inside the file
 *
 * The mapping is kept for the next write to the same place. Returns false, with nothing written,
 * where a write by the system does as well: the caller does that then.
 */
bool guest_map_write(GuestMap *map, int fd, uint64_t offset, const uint8_t *from, size_t len);

/** guest_map_drop - give the mapping back */
void guest_map_drop(GuestMap *map);

#endif
