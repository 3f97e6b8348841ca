/*
 * The header of an Image, and what else people take for one. Source: [LINUXARM64] 4
 */
#include "loaders/arm64_image.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"

/* What a file is that is no Image; for the message alone. */
static const struct {
	size_t at;
	uint8_t len;
	const char *bytes, *what;
} others[] = {
	{ 0, 2, "\x1f\x8b", "gzip" },
	{ 4, 4, "zimg", "a compressed EFI image" },
	{ 0, 4, "\177ELF", "ELF" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "zstd" },
	{ 0, 5, "\3757zXZ", "xz" },
	{ 0, 4, "\x02\x21\x4c\x18", "lz4" },
	{ 0x202, 4, "HdrS", "a bzImage of x86" },
};

static const char *recognise(Bytes file)
{
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		if (others[i].at + others[i].len <= file.len &&
			memcmp(file.data + others[i].at, others[i].bytes, others[i].len) == 0)
			return others[i].what;
	}
	return "nothing known";
}

/* By the header's number. */
static const char *const page_sizes[] = { "unknown size", "4 KiB", "16 KiB", "64 KiB" };

static bool check_flags(uint64_t flags, Error *err)
{
	if (flags & ARM64_IMAGE_BIG_ENDIAN)
		return error_set(err, PVW_ARM64_0003,
			"flags 0x%" PRIx64 ": big-endian, expected little-endian", flags);
	if (ARM64_IMAGE_PAGES(flags) != ARM64_IMAGE_PAGES_4K)
		return error_set(err, PVW_ARM64_0004,
			"flags 0x%" PRIx64 ": pages of %s, expected 4 KiB", flags,
			page_sizes[ARM64_IMAGE_PAGES(flags)]);
	if (!(flags & ARM64_IMAGE_ANYWHERE))
		return error_set(err, PVW_ARM64_0005,
			"flags 0x%" PRIx64
			": to be placed near the start of memory, expected anywhere (bit 3)",
			flags);
	return true;
}

static bool check_sizes(const Arm64ImageHeader *header, size_t len, Error *err)
{
	if (!is_aligned(header->text_offset, PAGE_SIZE))
		return error_set(err, PVW_ARM64_0006,
			"text_offset 0x%" PRIx64 ", expected a multiple of 0x%" PRIx64,
			header->text_offset, PAGE_SIZE);
	if (header->image_size && header->image_size < len)
		return error_set(err, PVW_ARM64_0007,
			"%zu bytes, expected at most the 0x%" PRIx64 " of its image_size", len,
			header->image_size);
	return true;
}

bool arm64_image_parse(Bytes file, Arm64Image *out, Error *err)
{
	Arm64ImageHeader header;

	if (file.len < sizeof(header))
		return error_set(err, PVW_ARM64_0001, "%zu bytes, expected a header of %zu",
			file.len, sizeof(header));
	memcpy(&header, file.data, sizeof(header));
	if (header.magic != ARM64_IMAGE_MAGIC)
		return error_set(err, PVW_ARM64_0002,
			"magic 0x%08" PRIx32 " at byte 56 (%s), expected 0x%08" PRIx32
			" of a flat Image",
			header.magic, recognise(file), (uint32_t)ARM64_IMAGE_MAGIC);
	if (!check_flags(header.flags, err) || !check_sizes(&header, file.len, err))
		return false;
	*out = (Arm64Image){ .text_offset = header.text_offset,
		.size = header.image_size ? header.image_size : file.len };
	return true;
}
