/*
 * ELF headers to segments, every offset checked before it is followed.
 */
#include "loaders/elf_image.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

bool elf_image_is(Bytes file)
{
	return file.len >= SELFMAG && memcmp(file.data, ELFMAG, SELFMAG) == 0;
}

/* What has to be so, in the order of the file. */
static bool check_kind(const Elf64_Ehdr *header, Error *err)
{
	const struct {
		const char *name;
		unsigned found, expected;
	} rows[] = {
		{ "class", header->e_ident[EI_CLASS], ELFCLASS64 },
		{ "byte order", header->e_ident[EI_DATA], ELFDATA2LSB },
		{ "version", header->e_ident[EI_VERSION], EV_CURRENT },
		{ "type", header->e_type, ET_EXEC },
		{ "machine", header->e_machine, EM_X86_64 },
		{ "program header size", header->e_phentsize, sizeof(Elf64_Phdr) },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].found != rows[i].expected)
			return error_set(err, PVW_ELF_0002, "elf %s %u, expected %u",
				rows[i].name, rows[i].found, rows[i].expected);
	}
	return true;
}

static bool read_header(Bytes file, Elf64_Ehdr *out, Error *err)
{
	Elf64_Ehdr header = { 0 };

	if (!elf_image_is(file))
		return error_set(err, PVW_ELF_0001,
			"%zu bytes that do not begin with 0x7f and ELF", file.len);
	memcpy(&header, file.data, file.len < sizeof(header) ? file.len : sizeof(header));
	/* A file of 32 bits may be shorter than our header: say first that it is one. */
	if (file.len >= EI_NIDENT && header.e_ident[EI_CLASS] != ELFCLASS64)
		return check_kind(&header, err);
	if (file.len < sizeof(header))
		return error_set(err, PVW_ELF_0003,
			"%zu bytes, expected a header of at least %zu", file.len,
			sizeof(header));
	if (!check_kind(&header, err))
		return false;
	if (header.e_phnum > ELF_IMAGE_MAX_HEADERS)
		return error_set(err, PVW_ELF_0007, "%u program headers, expected at most %d",
			header.e_phnum, ELF_IMAGE_MAX_HEADERS);
	if (header.e_phoff > file.len ||
		header.e_phnum * sizeof(Elf64_Phdr) > file.len - header.e_phoff)
		return error_set(err, PVW_ELF_0003,
			"%u program headers at 0x%" PRIx64 ", expected them inside %zu bytes",
			header.e_phnum, header.e_phoff, file.len);
	*out = header;
	return true;
}

static bool read_segment(Bytes file, const Elf64_Phdr *p, unsigned index, uint64_t lowest,
	uint64_t limit, ElfSegment *out, Error *err)
{
	uint64_t end;

	if (p->p_filesz > p->p_memsz)
		return error_set(err, PVW_ELF_0004,
			"segment %u: 0x%" PRIx64 " bytes of the file for 0x%" PRIx64
			" of memory, expected no more",
			index, p->p_filesz, p->p_memsz);
	if (p->p_offset > file.len || p->p_filesz > file.len - p->p_offset)
		return error_set(err, PVW_ELF_0003,
			"segment %u: 0x%" PRIx64 " bytes at 0x%" PRIx64
			", expected them inside %zu bytes",
			index, p->p_filesz, p->p_offset, file.len);
	if (p->p_paddr < lowest || !is_aligned(p->p_paddr, PAGE_SIZE) ||
		!checked_add_u64(p->p_paddr, p->p_memsz, &end) || end > limit)
		return error_set(err, PVW_ELF_0004,
			"segment %u: 0x%" PRIx64 " bytes at 0x%" PRIx64
			", expected a multiple of 0x1000 from 0x%" PRIx64
			" on and an end at or below 0x%" PRIx64,
			index, p->p_memsz, p->p_paddr, lowest, limit);
	*out = (ElfSegment){
		.gpa = p->p_paddr,
		.bytes = { file.data + p->p_offset, (size_t)p->p_filesz },
		.room = p->p_memsz,
	};
	return true;
}

/* Few: insertion. */
static void insert(ElfImage *image, ElfSegment segment)
{
	size_t at = image->count++;

	for (; at > 0 && image->segments[at - 1].gpa > segment.gpa; at--)
		image->segments[at] = image->segments[at - 1];
	image->segments[at] = segment;
}

static bool read_segments(Bytes file, const Elf64_Ehdr *header, uint64_t lowest, uint64_t limit,
	ElfImage *image, Error *err)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr p;
		ElfSegment segment = { 0 };

		memcpy(&p, file.data + header->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD || p.p_memsz == 0)
			continue;
		if (image->count == ELF_IMAGE_MAX_SEGMENTS)
			return error_set(err, PVW_ELF_0007,
				"more than %d segments, expected fewer",
				ELF_IMAGE_MAX_SEGMENTS);
		if (!read_segment(file, &p, i, lowest, limit, &segment, err))
			return false;
		insert(image, segment);
	}
	return image->count > 0 ||
		error_set(err, PVW_ELF_0008,
			"%u program headers, none of them to be loaded, expected at least one",
			header->e_phnum);
}

/* @limit is a multiple of a page, so no end wraps when it is rounded up. */
static MemoryRange segment_pages(const ElfSegment *segment)
{
	return (MemoryRange){ segment->gpa,
		align_down(segment->gpa + segment->room + PAGE_SIZE - 1, PAGE_SIZE) };
}

/* Few segments, each below 2^64 / 2^32: the sum does not wrap. */
static bool check_memory(const ElfImage *image, Error *err)
{
	uint64_t memory = 0;

	for (size_t i = 0; i < image->count; i++)
		memory += image->segments[i].room;
	return memory <= ELF_IMAGE_MAX_MEMORY ||
		error_set(err, PVW_ELF_0009,
			"%zu segments take 0x%" PRIx64 " bytes of memory, expected at most "
			"0x%" PRIx64,
			image->count, memory, ELF_IMAGE_MAX_MEMORY);
}

static bool check_apart(const ElfImage *image, Error *err)
{
	for (size_t i = 1; i < image->count; i++) {
		const MemoryRange a = segment_pages(&image->segments[i - 1]);
		const MemoryRange b = segment_pages(&image->segments[i]);

		if (memory_range_overlaps(a, b))
			return error_set(err, PVW_ELF_0005,
				"segments at " RANGE_FORMAT " and " RANGE_FORMAT
				", expected no common page",
				RANGE_ARGS(a), RANGE_ARGS(b));
	}
	return true;
}

static bool check_entry(const ElfImage *image, uint64_t entry, Error *err)
{
	for (size_t i = 0; i < image->count; i++) {
		const ElfSegment *segment = &image->segments[i];

		if (entry >= segment->gpa && entry - segment->gpa < segment->bytes.len)
			return true;
	}
	return error_set(err, PVW_ELF_0006,
		"entry 0x%" PRIx64 ", expected the physical address of a byte of a segment",
		entry);
}

bool elf_image_parse(Bytes file, uint64_t lowest, uint64_t limit, ElfImage *out, Error *err)
{
	ElfImage image = { 0 };
	Elf64_Ehdr header = { 0 };

	assert(is_aligned(limit, PAGE_SIZE));
	if (!read_header(file, &header, err) ||
		!read_segments(file, &header, lowest, limit, &image, err) ||
		!check_memory(&image, err) || !check_apart(&image, err) ||
		!check_entry(&image, header.e_entry, err))
		return false;
	image.entry = header.e_entry;
	image.pages = (MemoryRange){ image.segments[0].gpa,
		segment_pages(&image.segments[image.count - 1]).end };
	*out = image;
	return true;
}
