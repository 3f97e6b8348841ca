/*
 * IGVM files by number. Source: [IGVM] igvm_defs/src/lib.rs
 */
#include "helpers/igvm_builder.h"

#include <assert.h>
#include <string.h>

void igvm_put_number(uint8_t *at, unsigned width, uint64_t value)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32_at(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void igvm_begin(IgvmBuilder *b, uint32_t format, uint32_t arch)
{
	memset(b, 0, sizeof(*b));
	b->format = format;
	b->arch = arch;
	/* The place 0 of the data means "none": something else lies there. */
	b->data_len = 8;
	memset(b->data, 0xee, b->data_len);
}

size_t igvm_put_header(IgvmBuilder *b, uint32_t type, const void *body, size_t len)
{
	const size_t at = b->headers_len + 8;

	assert(at + len + 8 <= sizeof(b->headers));
	igvm_put_number(b->headers + b->headers_len, 4, type);
	igvm_put_number(b->headers + b->headers_len + 4, 4, len);
	memcpy(b->headers + at, body, len);
	b->headers_len = at + (len + 7) / 8 * 8;
	return at;
}

static size_t put_data(IgvmBuilder *b, const void *data, size_t len)
{
	const size_t at = b->data_len;

	assert(at + len <= sizeof(b->data));
	memcpy(b->data + at, data, len);
	b->data_len += len;
	return at;
}

/* The offset at @at of the headers counts from the data. */
static void patch(IgvmBuilder *b, size_t at)
{
	assert(b->patch_count < 1024);
	b->patches[b->patch_count++] = at;
}

void igvm_put_platform(IgvmBuilder *b, uint32_t mask, uint8_t vtl, uint8_t platform)
{
	uint8_t body[16] = { 0 };

	igvm_put_number(body, 4, mask);
	body[4] = vtl;
	body[5] = platform;
	igvm_put_number(body + 6, 2, 1);
	igvm_put_header(b, 0x001, body, sizeof(body));
}

void igvm_put_page(IgvmBuilder *b, uint64_t gpa, const void *page)
{
	uint8_t body[24] = { 0 };
	size_t at;

	igvm_put_number(body, 8, gpa);
	igvm_put_number(body + 8, 4, 1);
	if (page)
		igvm_put_number(body + 12, 4, put_data(b, page, 4096));
	at = igvm_put_header(b, 0x302, body, sizeof(body));
	if (page)
		patch(b, at + 12);
}

void igvm_put_area(IgvmBuilder *b, uint32_t index, uint64_t bytes, const void *initial)
{
	uint8_t body[16] = { 0 };
	size_t at;

	igvm_put_number(body, 8, bytes);
	igvm_put_number(body + 8, 4, index);
	if (initial)
		igvm_put_number(body + 12, 4, put_data(b, initial, (size_t)bytes));
	at = igvm_put_header(b, 0x301, body, sizeof(body));
	if (initial)
		patch(b, at + 12);
}

void igvm_put_use(IgvmBuilder *b, uint32_t type, uint32_t index, uint32_t offset)
{
	uint8_t body[8];

	igvm_put_number(body, 4, index);
	igvm_put_number(body + 4, 4, offset);
	igvm_put_header(b, type, body, sizeof(body));
}

void igvm_put_insert(IgvmBuilder *b, uint64_t gpa, uint32_t index)
{
	uint8_t body[16];

	igvm_put_number(body, 8, gpa);
	igvm_put_number(body + 8, 4, 1);
	igvm_put_number(body + 12, 4, index);
	igvm_put_header(b, 0x303, body, sizeof(body));
}

void igvm_context_page(uint8_t *page, uint8_t vtl, const IgvmRegister *registers, size_t count)
{
	igvm_put_number(page, 4, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t *record = page + 4 + 32 * i;

		memset(record, 0, 32);
		record[0] = vtl;
		igvm_put_number(record + 1, 4, registers[i].name);
		igvm_put_number(record + 16, 8, registers[i].low);
		igvm_put_number(record + 24, 8, registers[i].high);
	}
}

void igvm_put_context(
	IgvmBuilder *b, uint8_t vtl, uint16_t vp, const IgvmRegister *registers, size_t count)
{
	uint8_t page[4096] = { 0 };
	uint8_t body[20] = { 0 };
	size_t at;

	igvm_context_page(page, vtl, registers, count);
	igvm_put_number(body + 8, 4, 1);
	igvm_put_number(body + 12, 4, put_data(b, page, 4 + 32 * count));
	igvm_put_number(body + 16, 2, vp);
	at = igvm_put_header(b, 0x304, body, sizeof(body));
	patch(b, at + 12);
}

void igvm_put_required(IgvmBuilder *b, uint64_t gpa, uint32_t bytes, uint32_t flags)
{
	uint8_t body[24] = { 0 };

	igvm_put_number(body, 8, gpa);
	igvm_put_number(body + 8, 4, 1);
	igvm_put_number(body + 12, 4, bytes);
	igvm_put_number(body + 16, 4, flags);
	igvm_put_header(b, 0x305, body, sizeof(body));
}

void igvm_put_error_range(IgvmBuilder *b, uint64_t gpa, uint32_t bytes)
{
	uint8_t body[16] = { 0 };

	igvm_put_number(body, 8, gpa);
	igvm_put_number(body + 8, 4, 1);
	igvm_put_number(body + 12, 4, bytes);
	igvm_put_header(b, 0x30d, body, sizeof(body));
}

void igvm_put_region(IgvmBuilder *b, const IgvmRegion *region)
{
	uint8_t body[48] = { 0 };

	igvm_put_number(body, 4, 1);
	body[6] = region->vtl;
	body[7] = region->flags;
	igvm_put_number(body + 8, 8, region->alignment);
	igvm_put_number(body + 16, 8, region->base);
	igvm_put_number(body + 24, 8, region->size);
	igvm_put_number(body + 32, 8, region->minimum);
	igvm_put_number(body + 40, 8, region->maximum);
	igvm_put_header(b, 0x102, body, sizeof(body));
}

void igvm_put_tables(
	IgvmBuilder *b, uint8_t vtl, uint64_t gpa, uint64_t size, uint64_t used_size)
{
	uint8_t body[32] = { 0 };

	igvm_put_number(body, 4, 1);
	body[6] = vtl;
	igvm_put_number(body + 8, 8, gpa);
	igvm_put_number(body + 16, 8, size);
	igvm_put_number(body + 24, 8, used_size);
	igvm_put_header(b, 0x103, body, sizeof(body));
}

/* Bit by bit, as the standard has it. */
static uint32_t crc_bits(uint32_t crc, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

void igvm_seal(uint8_t *file, size_t len)
{
	const size_t fixed = get_u32_at(file + 4) == 2 ? 32 : 24;
	const size_t at = get_u32_at(file + 8), size = get_u32_at(file + 12);
	uint32_t crc;

	if (at > len || size > len - at)
		return;
	igvm_put_number(file + 20, 4, 0);
	crc = crc_bits(UINT32_MAX, file, fixed);
	igvm_put_number(file + 20, 4, ~crc_bits(crc, file + at, size));
}

Bytes igvm_finish(IgvmBuilder *b)
{
	const size_t fixed = b->format == 2 ? 32 : 24;
	const size_t data_at = fixed + b->headers_len;
	const size_t len = data_at + b->data_len;

	for (size_t i = 0; i < b->patch_count; i++) {
		uint8_t *at = b->headers + b->patches[i];

		igvm_put_number(at, 4, get_u32_at(at) + data_at);
	}
	b->patch_count = 0;
	igvm_put_number(b->file, 4, 0x4d564749);
	igvm_put_number(b->file + 4, 4, b->format);
	igvm_put_number(b->file + 8, 4, fixed);
	igvm_put_number(b->file + 12, 4, b->headers_len);
	igvm_put_number(b->file + 16, 4, len);
	igvm_put_number(b->file + 24, 4, b->arch);
	igvm_put_number(b->file + 28, 4, 4096);
	memcpy(b->file + fixed, b->headers, b->headers_len);
	memcpy(b->file + data_at, b->data, b->data_len);
	igvm_seal(b->file, len);
	return (Bytes){ b->file, len };
}
