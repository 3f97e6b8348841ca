/*
 * Volume, file, section, image: four boxes, each judged by the one around it.
 */
#include "loaders/uefi_image.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/compiler.h"
#include "support/diagnostics.h"

/* [PI18] volume 3, 3.2.1 EFI_FIRMWARE_VOLUME_HEADER, without its block map */
typedef struct PACKED VolumeHeader {
	uint8_t zero_vector[16];  /*  0 */
	uint8_t file_system[16];  /* 16 */
	uint64_t length;          /* 32  bytes */
	char signature[4];        /* 40  "_FVH" */
	uint32_t attributes;      /* 44 */
	uint16_t header_length;   /* 48  block map included */
	uint16_t checksum;        /* 50 */
	uint16_t extended_header; /* 52  offset in the volume; 0: none */
	uint8_t reserved;         /* 54 */
	uint8_t revision;         /* 55 */
} VolumeHeader;
static_assert(sizeof(VolumeHeader) == 56, "[PI18] EFI_FIRMWARE_VOLUME_HEADER");

/* [PI18] volume 3, 3.2.1 EFI_FIRMWARE_VOLUME_EXT_HEADER */
typedef struct PACKED VolumeExtendedHeader {
	uint8_t name[16]; /*  0 */
	uint32_t size;    /* 16  bytes */
} VolumeExtendedHeader;

/* [PI18] volume 3, 3.2.3 EFI_FFS_FILE_HEADER */
typedef struct PACKED FileHeader {
	uint8_t name[16];         /*  0 */
	uint16_t integrity_check; /* 16 */
	uint8_t type;             /* 18 */
	uint8_t attributes;       /* 19 */
	uint8_t size[3];          /* 20  bytes, header included; 0 or all ones if large */
	uint8_t state;            /* 23 */
} FileHeader;
static_assert(sizeof(FileHeader) == 24, "[PI18] EFI_FFS_FILE_HEADER");

/* [PI18] volume 3, 3.2.4 EFI_COMMON_SECTION_HEADER */
typedef struct PACKED SectionHeader {
	uint8_t size[3]; /* 0  bytes, header included; all ones if large */
	uint8_t type;    /* 3 */
} SectionHeader;
static_assert(sizeof(SectionHeader) == 4, "[PI18] EFI_COMMON_SECTION_HEADER");

/* [PI18] volume 1, 15.1 EFI_TE_IMAGE_HEADER, as far as it is needed */
typedef struct PACKED TeHeader {
	char signature[2];      /* 0  "VZ" */
	uint16_t machine;       /* 2 */
	uint8_t sections;       /* 4 */
	uint8_t subsystem;      /* 5 */
	uint16_t stripped_size; /* 6  bytes that the PE header was longer */
	uint32_t entry;         /* 8  as if nothing had been stripped */
} TeHeader;
#define TE_HEADER_SIZE 40

#define PE_OFFSET_AT 0x3c /* in the DOS header */
#define PE_MACHINE_AT 4   /* behind "PE\0\0" */
#define PE_ENTRY_AT 40    /* AddressOfEntryPoint, in the optional header */
#define PE_HEADER_NEEDED 44

#define FILE_ALIGN 8
#define SECTION_ALIGN 4
#define FILE_TYPE_SEC_CORE 0x03
#define FILE_LARGE 0x01 /* attribute: the size has 64 bits behind the header */
#define SECTION_COMPRESSED 0x01
#define SECTION_GUIDED 0x02
#define SECTION_PE32 0x10
#define SECTION_TE 0x12
#define ALL_ONES_24 0xffffffu

/* A part of the image, with its place in it for messages. */
typedef struct Part {
	Bytes bytes;
	uint64_t at; /* offset in the image */
} Part;

static uint32_t size_of_24(const uint8_t size[3])
{
	return size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16;
}

/* A copy of what stands at @at; false if it is not all there. */
static bool peek(Bytes bytes, uint64_t at, void *out, size_t len)
{
	if (at > bytes.len || len > bytes.len - at)
		return false;
	memcpy(out, bytes.data + at, len);
	return true;
}

/* [@at, @at + @len) of @whole; false if it is not all there. */
static bool cut(Part whole, uint64_t at, uint64_t len, Part *out)
{
	if (at > whole.bytes.len || len > whole.bytes.len - at)
		return false;
	*out = (Part){ { whole.bytes.data + at, (size_t)len }, whole.at + at };
	return true;
}

bool uefi_image_is_volume(Bytes bytes)
{
	VolumeHeader header;

	return peek(bytes, 0, &header, sizeof(header)) &&
		memcmp(header.signature, "_FVH", sizeof(header.signature)) == 0;
}

/*
 * Volume to files.
 */

/* Offset of the first file, behind whichever header is the last. */
static bool find_files(Part volume, const VolumeHeader *header, uint64_t *at, Error *err)
{
	VolumeExtendedHeader extended;

	*at = header->header_length;
	if (header->extended_header) {
		if (!peek(volume.bytes, header->extended_header, &extended, sizeof(extended)))
			return error_set(err, PVW_UEFI_0019,
				"volume at 0x%" PRIx64
				": extended header at 0x%x, expected it inside 0x%zx bytes",
				volume.at, header->extended_header, volume.bytes.len);
		*at = (uint64_t)header->extended_header + extended.size;
	}
	return checked_align_up(*at, FILE_ALIGN, at);
}

static bool open_volume(Bytes image, uint64_t at, Part *volume, uint64_t *files, Error *err)
{
	VolumeHeader header;

	if (!peek(image, at, &header, sizeof(header)) ||
		memcmp(header.signature, "_FVH", sizeof(header.signature)) != 0)
		return error_set(err, PVW_UEFI_0019,
			"no firmware volume at 0x%" PRIx64
			" of 0x%zx bytes, expected _FVH in it",
			at, image.len);
	if (header.header_length < sizeof(header) || header.length < header.header_length ||
		!cut((Part){ image, 0 }, at, header.length, volume))
		return error_set(err, PVW_UEFI_0019,
			"volume at 0x%" PRIx64 ": 0x%" PRIx64
			" bytes with a header of 0x%x, expected them inside 0x%zx bytes",
			at, header.length, header.header_length, image.len);
	return find_files(*volume, &header, files, err);
}

/* The file at @at: its header's length and its own. False where no file is. */
static bool measure_file(
	Part volume, uint64_t at, const FileHeader *header, uint64_t *head, uint64_t *size)
{
	*head = sizeof(*header);
	*size = size_of_24(header->size);
	if (header->attributes & FILE_LARGE) {
		if (!peek(volume.bytes, at + sizeof(*header), size, sizeof(*size)))
			return false;
		*head += sizeof(*size);
	}
	return *size >= *head && *size <= volume.bytes.len - at;
}

/* Free space is what the flash is when it is erased. */
static bool is_free_space(const FileHeader *header)
{
	const uint8_t *bytes = (const uint8_t *)header;

	for (size_t i = 1; i < sizeof(*header); i++) {
		if (bytes[i] != bytes[0])
			return false;
	}
	return bytes[0] == 0 || bytes[0] == 0xff;
}

/* @sections: receives what the file of type SEC core holds */
static bool find_sec_file(Part volume, uint64_t at, Part *sections, Error *err)
{
	FileHeader header;
	uint64_t head = 0, size = 0;

	/* Each round moves on by a header at least. */
	while (peek(volume.bytes, at, &header, sizeof(header)) && !is_free_space(&header)) {
		if (!measure_file(volume, at, &header, &head, &size))
			return error_set(err, PVW_UEFI_0019,
				"file at 0x%" PRIx64 ": 0x%" PRIx64
				" bytes, expected them inside its volume",
				volume.at + at, size);
		if (header.type == FILE_TYPE_SEC_CORE)
			return cut(volume, at + head, size - head, sections);
		at = align_down(at + size + FILE_ALIGN - 1, FILE_ALIGN);
	}
	return error_set(err, PVW_UEFI_0019,
		"volume at 0x%" PRIx64 ": no file of type SEC core, expected one", volume.at);
}

/*
 * File to section.
 */

static bool find_code(Part sections, Part *code, Error *err)
{
	SectionHeader header;
	uint64_t at = 0;

	while (peek(sections.bytes, at, &header, sizeof(header))) {
		uint64_t head = sizeof(header), size = size_of_24(header.size);
		uint32_t large;

		if (size == ALL_ONES_24 &&
			peek(sections.bytes, at + head, &large, sizeof(large))) {
			head += sizeof(large);
			size = large;
		}
		if (size < head || size > sections.bytes.len - at)
			return error_set(err, PVW_UEFI_0019,
				"section at 0x%" PRIx64 ": 0x%" PRIx64
				" bytes, expected them inside its file",
				sections.at + at, size);
		if (header.type == SECTION_COMPRESSED || header.type == SECTION_GUIDED)
			return error_set(err, PVW_UEFI_0011,
				"section of type 0x%02x at 0x%" PRIx64
				", expected code that runs where it lies",
				header.type, sections.at + at);
		if (header.type == SECTION_PE32 || header.type == SECTION_TE)
			return cut(sections, at + head, size - head, code);
		at = align_down(at + size + SECTION_ALIGN - 1, SECTION_ALIGN);
	}
	return error_set(err, PVW_UEFI_0019,
		"file at 0x%" PRIx64 ": no PE32 or TE section, expected one", sections.at);
}

/*
 * Section to entry.
 */

/* Other processors that firmware is made for; what is not here may be a new name for ours. */
static bool check_machine(uint16_t machine, GuestArch arch, Error *err)
{
	static const struct {
		uint16_t machine;
		const char *name;
		bool is_arch;
		GuestArch arch;
	} rows[] = {
		{ 0x8664, "x86_64", true, GUEST_ARCH_X86_64 },
		{ 0xaa64, "aarch64", true, GUEST_ARCH_AARCH64 },
		{ 0x014c, "i386", false, GUEST_ARCH_X86_64 },
		{ 0x01c2, "arm", false, GUEST_ARCH_X86_64 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].machine == machine && !(rows[i].is_arch && rows[i].arch == arch))
			return error_set(err, PVW_UEFI_0011, "code for %s, expected %s",
				rows[i].name, guest_arch_name(arch));
	}
	return true;
}

/* @found: whether it is one; @entry: offset in @code */
static bool read_te(Bytes code, bool *found, uint16_t *machine, uint64_t *entry)
{
	TeHeader te;

	*found = peek(code, 0, &te, sizeof(te)) && memcmp(te.signature, "VZ", 2) == 0;
	if (!*found)
		return true;
	*machine = te.machine;
	*entry = (uint64_t)te.entry + TE_HEADER_SIZE - te.stripped_size;
	return code.len >= TE_HEADER_SIZE && te.entry >= te.stripped_size;
}

static bool read_pe(Bytes code, uint16_t *machine, uint64_t *entry)
{
	uint32_t at, address;
	uint8_t header[PE_HEADER_NEEDED];

	if (code.len < 2 || memcmp(code.data, "MZ", 2) != 0 ||
		!peek(code, PE_OFFSET_AT, &at, sizeof(at)) ||
		!peek(code, at, header, sizeof(header)) || memcmp(header, "PE\0\0", 4) != 0)
		return false;
	memcpy(machine, header + PE_MACHINE_AT, sizeof(*machine));
	memcpy(&address, header + PE_ENTRY_AT, sizeof(address));
	*entry = address;
	return true;
}

static bool find_entry(Part code, GuestArch arch, uint64_t *entry, Error *err)
{
	uint64_t at = 0;
	uint16_t machine = 0;
	bool is_te;

	if (!read_te(code.bytes, &is_te, &machine, &at) ||
		(!is_te && !read_pe(code.bytes, &machine, &at)))
		return error_set(err, PVW_UEFI_0019,
			"code at 0x%" PRIx64 ": neither a PE nor a TE image in 0x%zx bytes",
			code.at, code.bytes.len);
	if (!check_machine(machine, arch, err))
		return false;
	if (at >= code.bytes.len)
		return error_set(err, PVW_UEFI_0019,
			"code at 0x%" PRIx64 ": entry at 0x%" PRIx64
			", expected it inside 0x%zx bytes",
			code.at, at, code.bytes.len);
	*entry = code.at + at;
	return true;
}

bool uefi_image_find_sec(
	Bytes image, uint64_t volume, GuestArch arch, uint64_t *entry, Error *err)
{
	Part whole = { 0 }, sections = { 0 }, code = { 0 };
	uint64_t files = 0;

	return open_volume(image, volume, &whole, &files, err) &&
		find_sec_file(whole, files, &sections, err) &&
		find_code(sections, &code, err) && find_entry(code, arch, entry, err);
}
