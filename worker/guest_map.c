/*
 * One mapping at a time, made when it pays.
 */
#include "worker/guest_map.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/checked.h"

#define PAGE ((uint64_t)4096)
#define LOOK ((size_t)1024 * 1024) /* bytes that are asked for at a time */

/* Linux 5.14; Debian 12's headers have it, others may not. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

bool guest_map_is_safe(int fd)
{
	const int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_SHRINK) && !(seals & F_SEAL_WRITE) &&
		sysconf(_SC_PAGESIZE) == (long)PAGE;
}

void guest_map_drop(GuestMap *map)
{
	if (map->len)
		munmap(map->at, map->len);
	*map = (GuestMap){ 0 };
}

static bool holds(const GuestMap *map, uint64_t offset, size_t len)
{
	return map->len && offset >= map->offset && len <= map->len &&
		offset - map->offset <= map->len - len;
}

/* Are all pages there? A wrong answer costs time, nothing else. */
static bool is_resident(uint8_t *at, size_t len)
{
	unsigned char pages[LOOK / PAGE];

	for (size_t done = 0; done < len; done += LOOK) {
		const size_t part = len - done < LOOK ? len - done : LOOK;

		if (mincore(at + done, part, pages) != 0)
			return false;
		for (size_t i = 0; i < (part + PAGE - 1) / PAGE; i++) {
			if (!(pages[i] & 1))
				return false;
		}
	}
	return true;
}

/* Pages that are there are mapped sixteen at a time when they are read first, not one by one. */
static bool make(GuestMap *map, int fd, uint64_t offset, size_t len)
{
	const uint64_t start = align_down(offset, PAGE);
	const size_t whole = (size_t)(align_down(offset + len + PAGE - 1, PAGE) - start);
	uint8_t *at;

	guest_map_drop(map);
	at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)start);
	if (at == MAP_FAILED)
		return false;
	if (!is_resident(at, whole) || madvise(at, whole, MADV_POPULATE_READ) != 0) {
		munmap(at, whole);
		return false;
	}
	*map = (GuestMap){ at, start, whole };
	return true;
}

bool guest_map_write(GuestMap *map, int fd, uint64_t offset, const uint8_t *from, size_t len)
{
	if (!holds(map, offset, len) &&
		(len < GUEST_MAP_MIN || len > GUEST_MAP_MAX - PAGE ||
			!make(map, fd, offset, len)))
		return false;
	memcpy(map->at + (offset - map->offset), from, len);
	return true;
}
