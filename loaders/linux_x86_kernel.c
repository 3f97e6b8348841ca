/*
 * One row a kind of kernel: its marks, and how it is placed.
 * Source: [LINUXBOOT]; [OVMM] vm/loader/src/linux.rs, load_kernel_x86
 */
#include "loaders/linux_x86_kernel.h"

#include <inttypes.h>
#include <string.h>

#include "layout/fixed_map.h"
#include "loaders/bzimage.h"
#include "loaders/elf_image.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define NAME "linux.kernel"

/* Kernels of every age take an initrd that ends here: initrd_addr_max of [LINUXBOOT]. */
#define INITRD_LIMIT UINT64_C(0x80000000)

typedef struct Place {
	LayoutRecordList ram;
	Arena *arena;
} Place;

static bool one_artifact(const BootImage *image, Arena *arena, LinuxX86Kernel *out, Error *err)
{
	Artifact *artifact = arena_array(arena, Artifact, 1, err);

	if (!artifact)
		return false;
	*artifact = boot_image_artifact(image);
	out->image = *image;
	out->artifacts = artifact;
	out->artifact_count = 1;
	return true;
}

/*
 * In guest memory already.
 */

static bool find_in_place(
	const LinuxSettings *settings, const Place *place, LinuxX86Kernel *out, Error *err)
{
	const Image *kernel = &settings->kernel;
	uint64_t entry;
	BootImage image;

	if (!boot_image_in_place(NAME, kernel, LINUX_X86_KERNEL_GPA, place->ram, &image, err))
		return false;
	entry = settings->kernel_entry ? settings->kernel_entry : image.gpa;
	if (entry < image.gpa || entry - image.gpa >= image.len || entry >= FOUR_GIB)
		return error_set(err, PVW_LINUX_0017,
			"entry 0x%" PRIx64 ", expected an address in 0x%" PRIx64 "-0x%" PRIx64
			" below 4 GiB",
			entry, image.gpa, image.gpa + image.len);
	out->entry = entry;
	out->initrd_limit = INITRD_LIMIT;
	return one_artifact(&image, place->arena, out, err);
}

/*
 * bzImage.
 */

/* Everything is mapped below 4 GiB and nothing above. */
static bool has_room(uint64_t start, uint64_t end, LayoutRecordList ram)
{
	for (size_t i = 0; i < ram.count; i++) {
		if (layout_record_is_ordinary(&ram.items[i]) &&
			ram.items[i].range.start <= start && end <= ram.items[i].range.end)
			return end <= FOUR_GIB;
	}
	return false;
}

/* The lowest load address in any range of RAM; *end is the first address behind it all. */
static bool find_load(const BzImage *image, uint64_t alignment, LayoutRecordList ram,
	uint64_t *load, uint64_t *end)
{
	for (size_t i = 0; i < ram.count; i++) {
		const uint64_t start = ram.items[i].range.start > LINUX_X86_KERNEL_GPA
			? ram.items[i].range.start
			: LINUX_X86_KERNEL_GPA;
		uint64_t at, at_end;

		if (checked_align_up(start, alignment, &at) &&
			bzimage_end(image, at, alignment, &at_end) &&
			has_room(at, at_end, ram)) {
			*load = at;
			*end = at_end;
			return true;
		}
	}
	return false;
}

/*
 * 1 MiB first, because that is where every loader puts them. A kernel that can be moved goes
 * elsewhere if it must, aligned as it likes, at last as it needs.
 */
static bool place_bzimage(const BzImage *image, LayoutRecordList ram, uint64_t *load,
	uint64_t *end, uint64_t *alignment, Error *err)
{
	const uint64_t alignments[] = { image->alignment, image->min_alignment };
	const uint64_t first = LINUX_X86_KERNEL_GPA;
	uint64_t needed = 0;

	*alignment = image->alignment;
	if (bzimage_end(image, first, image->alignment, &needed) &&
		has_room(first, needed, ram)) {
		*load = first;
		*end = needed;
		return true;
	}
	for (size_t i = 0; image->relocatable && i < ARRAY_COUNT(alignments); i++) {
		*alignment = alignments[i];
		if (alignments[i] >= BOOT_PLAN_ALIGN &&
			find_load(image, alignments[i], ram, load, end))
			return true;
	}
	return error_set(err, PVW_LINUX_0023,
		NAME ": %zu bytes at 0x%" PRIx64 " and 0x%" PRIx64 " from 0x%" PRIx64
		     ", up to 0x%" PRIx64
		     "; expected one range of RAM for that%s, and an end at or below 4 GiB",
		image->payload.len, first, image->init_size, image->pref_address, needed,
		image->relocatable ? ", there or elsewhere" : "");
}

/* As the image has it, but for what a loader that moves a kernel has to say. */
static LinuxSetupHeader placed_header(const BzImage *image, uint64_t load, uint64_t alignment)
{
	LinuxSetupHeader header = image->header;

	if (load != LINUX_X86_KERNEL_GPA)
		header.code32_start = (uint32_t)load;
	if (alignment != image->alignment)
		header.kernel_alignment = (uint32_t)alignment;
	return header;
}

static bool find_bzimage(Bytes file, const Place *place, LinuxX86Kernel *out, Error *err)
{
	uint64_t load = 0, end = 0, alignment = 0;
	LinuxSetupHeader header;
	const uint8_t *copy;
	BootImage image;
	BzImage bz;

	if (!bzimage_parse(file, &bz, err) ||
		!place_bzimage(&bz, place->ram, &load, &end, &alignment, err) ||
		!boot_image_at(NAME, bz.payload, load, end - load, place->ram, &image, err))
		return false;
	header = placed_header(&bz, load, alignment);
	if (!arena_copy(place->arena, &header, sizeof(header), &copy, err))
		return false;
	out->entry = load + BZIMAGE_ENTRY;
	out->setup_header = (Bytes){ copy, sizeof(header) };
	out->initrd_limit = bz.initrd_limit;
	out->above_4gib = bz.above_4gib;
	out->max_line = bz.max_line;
	return one_artifact(&image, place->arena, out, err);
}

/*
 * ELF: segments, each as up to three artifacts.
 *
 *	gpa [ whole pages of the file )[ its last page, filled up with zeros )[ zeros ... )
 */

typedef struct Pieces {
	Artifact *items;
	size_t count;
	Arena *arena;
} Pieces;

/* "linux.kernel", "linux.kernel.end", "linux.kernel.zeros", "linux.kernel.1", … */
static bool add_piece(
	Pieces *pieces, size_t segment, const char *part, uint64_t gpa, Bytes bytes, Error *err)
{
	const char *name = segment
		? arena_printf(pieces->arena, err, NAME ".%zu%s", segment, part)
		: arena_printf(pieces->arena, err, NAME "%s", part);

	if (!name)
		return false;
	pieces->items[pieces->count++] = (Artifact){
		.name = name,
		.media_type = "application/octet-stream",
		.placed = true,
		.gpa = gpa,
		.bytes = bytes,
	};
	return true;
}

static bool add_segment(Pieces *pieces, size_t index, const ElfSegment *segment, Error *err)
{
	const size_t whole = (size_t)align_down(segment->bytes.len, PAGE_SIZE);
	const size_t rest = segment->bytes.len - whole;
	const uint64_t left = segment->room - whole;
	const size_t last = rest == 0 ? 0 : left < PAGE_SIZE ? (size_t)left : (size_t)PAGE_SIZE;
	uint8_t *page;

	if (whole &&
		!add_piece(pieces, index, "", segment->gpa,
			(Bytes){ segment->bytes.data, whole }, err))
		return false;
	if (last) {
		page = arena_alloc(pieces->arena, last, 8, err);
		if (!page)
			return false;
		memcpy(page, segment->bytes.data + whole, rest);
		if (!add_piece(pieces, index, ".end", segment->gpa + whole,
			    (Bytes){ page, last }, err))
			return false;
	}
	return left == last ||
		add_piece(pieces, index, ".zeros", segment->gpa + whole + last,
			(Bytes){ NULL, (size_t)(left - last) }, err);
}

static bool find_elf(Bytes file, const Place *place, LinuxX86Kernel *out, Error *err)
{
	Pieces pieces = { .arena = place->arena };
	ElfImage elf;

	if (!elf_image_parse(file, LINUX_X86_KERNEL_GPA, FOUR_GIB, &elf, err))
		return false;
	if (!has_room(elf.pages.start, elf.pages.end, place->ram))
		return error_set(err, PVW_LINUX_0023,
			NAME ": segments at " RANGE_FORMAT
			     ", expected them inside one range of RAM for the guest's own use",
			RANGE_ARGS(elf.pages));
	pieces.items = arena_array(place->arena, Artifact, 3 * elf.count, err);
	if (!pieces.items)
		return false;
	for (size_t i = 0; i < elf.count; i++) {
		if (!add_segment(&pieces, i, &elf.segments[i], err))
			return false;
	}
	out->image = (BootImage){
		.name = NAME,
		.gpa = elf.pages.start,
		.len = memory_range_len(elf.pages),
		.room = memory_range_len(elf.pages),
	};
	out->artifacts = pieces.items;
	out->artifact_count = pieces.count;
	out->entry = elf.entry;
	out->initrd_limit = INITRD_LIMIT;
	return true;
}

/*
 * Which of them is it?
 */

static bool has_mark(Bytes file, size_t at, const char *mark, size_t len)
{
	return file.len >= at + len && memcmp(file.data + at, mark, len) == 0;
}

/* What people hand over by mistake, with what they can do about it. */
static const char *known_by_its_mark(Bytes file)
{
	static const struct {
		size_t at;
		const char *mark;
		size_t len;
		const char *what;
	} rows[] = {
		{ 0, "\x1f\x8b", 2, "a file compressed by gzip, expected it unpacked" },
		{ 0,
			"\xfd"
			"7zXZ",
			5, "a file compressed by xz, expected it unpacked" },
		{ 0, "\x28\xb5\x2f\xfd", 4, "a file compressed by zstd, expected it unpacked" },
		{ 0, "\x02\x21\x4c\x18", 4, "a file compressed by lz4, expected it unpacked" },
		{ 4, "zimg", 4, "a compressed EFI image (zboot), expected what it holds" },
		{ 56, "ARM\x64", 4, "a kernel for aarch64, expected one for x86-64" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (has_mark(file, rows[i].at, rows[i].mark, rows[i].len))
			return rows[i].what;
	}
	return NULL;
}

static bool find_bytes(
	const LinuxSettings *settings, const Place *place, LinuxX86Kernel *out, Error *err)
{
	const Bytes file = settings->kernel.bytes;
	const char *known;

	if (settings->kernel_entry)
		return error_set(err, PVW_LINUX_0017,
			"entry 0x%" PRIx64
			" for a kernel of bytes, expected 0: the image says its own",
			settings->kernel_entry);
	if (bzimage_is(file))
		return find_bzimage(file, place, out, err);
	if (elf_image_is(file))
		return find_elf(file, place, out, err);
	known = known_by_its_mark(file);
	if (known)
		return error_set(err, PVW_LINUX_0015, "%s", known);
	return error_set(err, PVW_LINUX_0024,
		"%zu bytes that are neither a bzImage (HdrS at 0x202) nor an ELF file",
		file.len);
}

bool linux_x86_find_kernel(const LinuxSettings *settings, IsolationType isolation,
	LayoutRecordList ram, Arena *arena, LinuxX86Kernel *out, Error *err)
{
	const Place place = { ram, arena };
	LinuxX86Kernel kernel = { 0 };

	switch (settings->kernel.place) {
	case IMAGE_IN_PLACE:
		if (!find_in_place(settings, &place, &kernel, err))
			return false;
		break;
	case IMAGE_BYTES:
		if (!boot_image_allow_bytes(NAME, settings->kernel.bytes, isolation, err) ||
			!find_bytes(settings, &place, &kernel, err))
			return false;
		break;
	case IMAGE_ABSENT:
	case IMAGE_PLACE_COUNT:
		return error_set(err, PVW_LINUX_0014,
			"no kernel, expected one in guest memory or as bytes");
	}
	*out = kernel;
	return true;
}
