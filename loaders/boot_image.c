/*
 * Where images lie: checked against RAM and against each other before a plan is made of them.
 */
#include "loaders/boot_image.h"

#include <inttypes.h>

#include "support/checked.h"
#include "support/diagnostics.h"

/* No image has a room that wraps, so the end of its last page fits too. */
MemoryRange boot_image_range(const BootImage *image)
{
	if (!image->len)
		return MEMORY_RANGE_EMPTY;
	return (MemoryRange){ align_down(image->gpa, PAGE_SIZE),
		align_down(image->gpa + image->room + PAGE_SIZE - 1, PAGE_SIZE) };
}

bool boot_image_allow_bytes(const char *name, Bytes bytes, IsolationType isolation, Error *err)
{
	if (!isolation_is_isolated(isolation))
		return true;
	return error_set(err, PVW_LINUX_0022,
		"%s: %zu bytes for a guest isolated by %s, expected an image in guest memory "
		"already",
		name, bytes.len, boot_info_isolation_name(isolation));
}

static bool is_in_ram(MemoryRange range, LayoutRecordList ram)
{
	for (size_t i = 0; i < ram.count; i++) {
		if (layout_record_is_ordinary(&ram.items[i]) &&
			memory_range_contains(ram.items[i].range, range))
			return true;
	}
	return false;
}

/* The pages of @len bytes at @gpa; false when they would wrap. */
static bool find_pages(uint64_t gpa, uint64_t len, MemoryRange *out)
{
	MemoryRange pages = { .start = align_down(gpa, PAGE_SIZE) };

	if (!checked_add_u64(gpa, len, &pages.end) ||
		!checked_align_up(pages.end, PAGE_SIZE, &pages.end))
		return false;
	*out = pages;
	return true;
}

bool boot_image_in_place(const char *name, const Image *image, uint64_t lowest,
	LayoutRecordList ram, BootImage *out, Error *err)
{
	MemoryRange pages;

	if (!image->len || !is_aligned(image->gpa, PAGE_SIZE) || image->gpa < lowest ||
		!find_pages(image->gpa, image->len, &pages))
		return error_set(err, PVW_LINUX_0016,
			"0x%" PRIx64 " bytes at 0x%" PRIx64
			", expected some at a multiple of 0x%" PRIx64 " from 0x%" PRIx64 " on",
			image->len, image->gpa, PAGE_SIZE, lowest);
	if (!is_in_ram(pages, ram))
		return error_set(err, PVW_LINUX_0020,
			RANGE_FORMAT
			", expected it inside one range of RAM for the guest's own use",
			RANGE_ARGS(pages));
	*out = (BootImage){
		.name = name,
		.gpa = image->gpa,
		.len = image->len,
		.room = image->len,
		.in_place = true,
	};
	return true;
}

bool boot_image_at(const char *name, Bytes bytes, uint64_t gpa, uint64_t room,
	LayoutRecordList ram, BootImage *out, Error *err)
{
	const uint64_t needed = room > bytes.len ? room : bytes.len;
	MemoryRange pages;

	assert(bytes.len > 0);
	if (!find_pages(gpa, needed, &pages) || !is_in_ram(pages, ram))
		return error_set(err, PVW_LINUX_0023,
			"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64
			", expected them inside one range of RAM for the guest's own use",
			name, needed, gpa);
	*out = (BootImage){
		.name = name,
		.gpa = gpa,
		.len = bytes.len,
		.room = needed,
		.bytes = bytes,
	};
	return true;
}

/*
 * The highest page in [start, end) from which @len bytes fit, beside what is to be avoided:
 *
 *	start [      ##avoid##      ##avoid##   fits here ) end
 */
static bool fit_high(MemoryRange room, MemoryRangeList avoid, uint64_t len, uint64_t *gpa)
{
	uint64_t top = room.end;

	for (size_t i = avoid.count;; i--) {
		const uint64_t bottom = i > 0 && avoid.items[i - 1].end > room.start
			? avoid.items[i - 1].end
			: room.start;

		if (bottom <= top && top - bottom >= len &&
			align_down(top - len, PAGE_SIZE) >= bottom) {
			*gpa = align_down(top - len, PAGE_SIZE);
			return true;
		}
		if (i == 0 || avoid.items[i - 1].start <= room.start)
			return false;
		if (avoid.items[i - 1].start < top)
			top = avoid.items[i - 1].start;
	}
}

bool boot_image_high(
	const char *name, Bytes bytes, const BootImageRoom *room, BootImage *out, Error *err)
{
	uint64_t gpa;

	assert(bytes.len > 0);
	for (size_t i = room->ram.count; i-- > 0;) {
		MemoryRange range = room->ram.items[i].range;

		range.start = range.start > room->lowest ? range.start : room->lowest;
		range.end = range.end < room->limit ? range.end : room->limit;
		if (!layout_record_is_ordinary(&room->ram.items[i]) ||
			range.start >= range.end ||
			!fit_high(range, room->avoid, bytes.len, &gpa))
			continue;
		*out = (BootImage){
			.name = name,
			.gpa = gpa,
			.len = bytes.len,
			.room = bytes.len,
			.bytes = bytes,
		};
		return true;
	}
	return error_set(err, PVW_LINUX_0018,
		"%s: no room for %zu bytes, expected RAM for them from 0x%" PRIx64
		" and below 0x%" PRIx64,
		name, bytes.len, room->lowest, room->limit);
}

bool boot_image_check_apart(const BootImage *a, const BootImage *b, Error *err)
{
	const MemoryRange first = boot_image_range(a), second = boot_image_range(b);

	if (!memory_range_overlaps(first, second))
		return true;
	return error_set(err, PVW_LINUX_0021,
		"%s at " RANGE_FORMAT " and %s at " RANGE_FORMAT ", expected them apart",
		a->name, RANGE_ARGS(first), b->name, RANGE_ARGS(second));
}

Artifact boot_image_artifact(const BootImage *image)
{
	assert(image->len > 0);
	return (Artifact){
		.name = image->name,
		.media_type = "application/octet-stream",
		.placed = true,
		.gpa = image->gpa,
		.bytes = { image->bytes.data, (size_t)image->len },
		.measured = image->in_place,
	};
}

void boot_image_add(BootPlanBuilder *plan, const BootImage *image)
{
	if (image->len)
		boot_plan_add(plan, boot_image_artifact(image));
}
