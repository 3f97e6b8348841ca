/*
 * The header of a bzImage, field by field.
 * Source: [LINUXBOOT]; [LINUX] arch/x86/boot/compressed/head_64.S, where the kernel picks its place
 */
#include "loaders/bzimage.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

#define HEADER_AT 0x1f1     /* in the file, as in the zero page */
#define JUMP_END 0x202      /* the header's length is the jump's: it starts here */
#define PROTOCOL_MIN 0x020c /* 2.12 */
#define SECTOR 512
#define SETUP_SECTS_DEFAULT 4 /* what 0 means */
#define PARAGRAPH 16          /* unit of syssize */

#define LOADED_HIGH 0x01       /* loadflags */
#define KERNEL_64 0x01         /* xloadflags */
#define ALIGNMENT_MAX_SHIFT 31 /* kernel_alignment has 32 bits */

bool bzimage_is(Bytes file)
{
	LinuxSetupHeader header;

	if (file.len < HEADER_AT + sizeof(header))
		return false;
	memcpy(&header, file.data + HEADER_AT, sizeof(header));
	return header.boot_flag == LINUX_BOOT_FLAG && header.header == LINUX_HEADER_MAGIC;
}

static bool check_kind(const LinuxSetupHeader *header, Error *err)
{
	if (header->version < PROTOCOL_MIN)
		return error_set(err, PVW_BZIMAGE_0002,
			"boot protocol 0x%04x, expected at least 0x%04x, which is 2.12",
			(unsigned)header->version, (unsigned)PROTOCOL_MIN);
	if (!(header->loadflags & LOADED_HIGH))
		return error_set(err, PVW_BZIMAGE_0003,
			"loadflags 0x%02x, expected bit 0, which says that it is loaded high",
			header->loadflags);
	if (!(header->xloadflags & KERNEL_64))
		return error_set(err, PVW_BZIMAGE_0004,
			"xloadflags 0x%04x, expected bit 0, which says that there is a 64-bit "
			"entry",
			header->xloadflags);
	return true;
}

static bool find_payload(Bytes file, const LinuxSetupHeader *header, Bytes *out, Error *err)
{
	const size_t sectors = header->setup_sects ? header->setup_sects : SETUP_SECTS_DEFAULT;
	const size_t start = (sectors + 1) * SECTOR;
	const uint64_t stated = (uint64_t)header->syssize * PARAGRAPH;
	uint64_t len;

	if (file.len < start)
		return error_set(err, PVW_BZIMAGE_0005,
			"%zu bytes, expected at least 0x%zx before the kernel proper", file.len,
			start);
	len = stated ? stated : file.len - start;
	/* Whole paragraphs are stated; the file may end inside of the last one. */
	if (len > file.len - start && len - (file.len - start) < PARAGRAPH)
		len = file.len - start;
	if (len > file.len - start)
		return error_set(err, PVW_BZIMAGE_0005,
			"%zu bytes, expected 0x%zx and syssize * 16 = 0x%" PRIx64, file.len,
			start, stated);
	if (len <= BZIMAGE_ENTRY)
		return error_set(err, PVW_BZIMAGE_0005,
			"0x%" PRIx64 " bytes from 0x%zx on, expected more than 0x%x, where the "
			"entry is",
			len, start, BZIMAGE_ENTRY);
	*out = (Bytes){ file.data + start, (size_t)len };
	return true;
}

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static bool check_alignment(const LinuxSetupHeader *header, Error *err)
{
	if (!header->relocatable_kernel)
		return true;
	if (!is_power_of_two(header->kernel_alignment))
		return error_set(err, PVW_BZIMAGE_0006,
			"kernel_alignment 0x%x, expected a power of two",
			header->kernel_alignment);
	if (header->min_alignment > ALIGNMENT_MAX_SHIFT ||
		UINT32_C(1) << header->min_alignment > header->kernel_alignment)
		return error_set(err, PVW_BZIMAGE_0006,
			"min_alignment 2^%u, expected at most kernel_alignment 0x%x",
			header->min_alignment, header->kernel_alignment);
	return true;
}

static bool check_fields(const LinuxSetupHeader *header, Bytes payload, Error *err)
{
	/* A jump leads over the header: byte 0x201 is how far. */
	const unsigned end = JUMP_END + (header->jump >> 8);
	uint64_t unpacked_end;

	if (end < HEADER_AT + sizeof(*header))
		return error_set(err, PVW_BZIMAGE_0006,
			"the header ends at 0x%x, expected at least 0x%zx", end,
			HEADER_AT + sizeof(*header));
	if ((uint64_t)header->payload_offset + header->payload_length > payload.len)
		return error_set(err, PVW_BZIMAGE_0006,
			"payload of 0x%x bytes at 0x%x, expected an end at or below 0x%zx",
			header->payload_length, header->payload_offset, payload.len);
	if (!header->init_size ||
		!checked_add_u64(header->pref_address, header->init_size, &unpacked_end))
		return error_set(err, PVW_BZIMAGE_0006,
			"init_size 0x%x at pref_address 0x%" PRIx64
			", expected some bytes that do not wrap",
			header->init_size, header->pref_address);
	return check_alignment(header, err);
}

bool bzimage_parse(Bytes file, BzImage *out, Error *err)
{
	LinuxSetupHeader header;
	Bytes payload;

	if (!bzimage_is(file))
		return error_set(err, PVW_BZIMAGE_0001,
			"%zu bytes without the marks 0xaa55 at 0x1fe and HdrS at 0x202",
			file.len);
	memcpy(&header, file.data + HEADER_AT, sizeof(header));
	if (!check_kind(&header, err) || !find_payload(file, &header, &payload, err) ||
		!check_fields(&header, payload, err))
		return false;
	*out = (BzImage){
		.header = header,
		.payload = payload,
		.relocatable = header.relocatable_kernel != 0,
		.alignment = header.relocatable_kernel ? header.kernel_alignment : 1,
		.min_alignment =
			header.relocatable_kernel ? UINT64_C(1) << header.min_alignment : 1,
		.pref_address = header.pref_address,
		.init_size = header.init_size,
		.initrd_limit = (uint64_t)header.initrd_addr_max + 1,
		.above_4gib = (header.xloadflags & LINUX_XLOAD_ABOVE_4GIB) != 0,
		.max_line = header.cmdline_size,
	};
	return true;
}

/*
 *	load [ payload ... )
 *	run              [ init_size: unpacked kernel, .bss, stack ........ )   run >= pref_address
 */
bool bzimage_end(const BzImage *image, uint64_t load, uint64_t alignment, uint64_t *end)
{
	uint64_t loaded_end, run = image->pref_address, run_end;

	if (image->relocatable && !checked_align_up(load, alignment, &run))
		return false;
	run = run > image->pref_address ? run : image->pref_address;
	if (!checked_add_u64(load, image->payload.len, &loaded_end) ||
		!checked_add_u64(run, image->init_size, &run_end))
		return false;
	*end = loaded_end > run_end ? loaded_end : run_end;
	return true;
}
