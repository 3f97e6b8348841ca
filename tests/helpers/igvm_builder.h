/*
 * IGVM files for tests, written by number, so that what reads them is not checked against its own
 * records. A builder is large: keep it static.
 *
 *	igvm_begin(&b, 1, 0);
 *	igvm_put_platform(&b, 1, 2, 1);
 *	igvm_put_page(&b, 0x8000000, page);
 *	file = igvm_finish(&b);
 */
#ifndef HELPERS_IGVM_BUILDER_H
#define HELPERS_IGVM_BUILDER_H

#include "support/bytes.h"

#define IGVM_BUILDER_HEADERS ((size_t)64 * 1024)
#define IGVM_BUILDER_DATA ((size_t)256 * 1024)

typedef struct IgvmBuilder {
	uint32_t format, arch;
	uint8_t headers[IGVM_BUILDER_HEADERS];
	size_t headers_len;
	uint8_t data[IGVM_BUILDER_DATA];
	size_t data_len;
	/* Where in the headers file offsets stand, which count from the data until the end. */
	size_t patches[1024];
	size_t patch_count;
	uint8_t file[32 + IGVM_BUILDER_HEADERS + IGVM_BUILDER_DATA];
} IgvmBuilder;

/* A register of a VP context. */
typedef struct IgvmRegister {
	uint32_t name;
	uint64_t low, high;
} IgvmRegister;

/** igvm_begin - an empty file; @arch: 0 x86-64, 1 aarch64, of format 2 */
void igvm_begin(IgvmBuilder *b, uint32_t format, uint32_t arch);

/** igvm_put_header - any header; the offset of its body among the headers */
size_t igvm_put_header(IgvmBuilder *b, uint32_t type, const void *body, size_t len);

/** igvm_put_number - little-endian @value of @width bytes into a body or file */
void igvm_put_number(uint8_t *at, unsigned width, uint64_t value);

void igvm_put_platform(IgvmBuilder *b, uint32_t mask, uint8_t vtl, uint8_t platform);
/* A page of 4096 bytes; NULL: zeros, without data. */
void igvm_put_page(IgvmBuilder *b, uint64_t gpa, const void *page);
void igvm_put_area(IgvmBuilder *b, uint32_t index, uint64_t bytes, const void *initial);
void igvm_put_use(IgvmBuilder *b, uint32_t type, uint32_t index, uint32_t offset);
void igvm_put_insert(IgvmBuilder *b, uint64_t gpa, uint32_t index);
void igvm_put_context(
	IgvmBuilder *b, uint8_t vtl, uint16_t vp, const IgvmRegister *registers, size_t count);
void igvm_put_required(IgvmBuilder *b, uint64_t gpa, uint32_t bytes, uint32_t flags);
void igvm_put_error_range(IgvmBuilder *b, uint64_t gpa, uint32_t bytes);

typedef struct IgvmRegion {
	uint64_t alignment, base, size, minimum, maximum;
	uint8_t vtl, flags;
} IgvmRegion;

void igvm_put_region(IgvmBuilder *b, const IgvmRegion *region);
void igvm_put_tables(
	IgvmBuilder *b, uint8_t vtl, uint64_t gpa, uint64_t size, uint64_t used_size);

/** igvm_finish - the file; it lives in the builder */
Bytes igvm_finish(IgvmBuilder *b);

/** igvm_seal - make the checksum right again, after a change */
void igvm_seal(uint8_t *file, size_t len);

/** igvm_context_page - a VP context as a page has it: 4 + 32 * @count bytes into @page */
void igvm_context_page(uint8_t *page, uint8_t vtl, const IgvmRegister *registers, size_t count);

#endif
