/*
 * An IGVM file: headers one by one, and the bytes that they name. Nothing is allocated and nothing
 * copied; whatever a header says is compared with the file before it is believed.
 *
 *	IgvmCursor at = igvm_first(&file);
 *	while (igvm_next(&file, &at, &header, err)) …
 *
 * Source: [IGVM] igvm_defs/src/lib.rs, igvm/src/lib.rs
 */
#ifndef LOADERS_IGVM_FILE_H
#define LOADERS_IGVM_FILE_H

#include <string.h>

#include "loaders/igvm_format.h"
#include "support/arena.h"
#include "support/bytes.h"
#include "support/guest_arch.h"

#define IGVM_MAX_HEADERS ((size_t)1 << 20)

typedef enum IgvmPlatform {
	IGVM_PLATFORM_NATIVE,
	IGVM_PLATFORM_VSM,
	IGVM_PLATFORM_SNP,
	IGVM_PLATFORM_TDX,
	IGVM_PLATFORM_SEV,
	IGVM_PLATFORM_SEV_ES,
	IGVM_PLATFORM_CCA,
	IGVM_PLATFORM_COUNT
} IgvmPlatform;

/* igvm_platform_name - "vsm"; "unknown" for other numbers */
const char *igvm_platform_name(uint32_t platform);

/* A file whose fixed header and checksum are right. Borrows the bytes. */
typedef struct IgvmFile {
	Bytes bytes;
	uint32_t format;
	GuestArch arch;
	uint32_t checksum;
	size_t headers,
		headers_end; /* offsets of the variable headers; data begins at the end */
} IgvmFile;

/**
 * igvm_open - check the fixed header and the checksum
 * @bytes: the whole file; borrowed
 *
 * Errors: PVW_IGVM_0001 (TRUNCATED) less than a header, _0002 (BAD_VALUE) no IGVM file, _0003
 * (UNSUPPORTED) another format, architecture or page size, _0004 (BAD_VALUE) sizes that contradict
 * the file, _0005 (BAD_VALUE) a wrong checksum.
 */
MUST_CHECK bool igvm_open(Bytes bytes, IgvmFile *out, Error *err);

/** igvm_checksum - CRC-32 [ISO3309] of both headers, with 0 where it stands */
uint32_t igvm_checksum(Bytes bytes, size_t headers, size_t headers_end, size_t fixed_size);

/* What a type says of its headers, or NULL for a type that is not known. */
typedef struct IgvmTypeRow {
	uint32_t type;
	const char *name; /* "page-data" */
	uint8_t section;  /* 0 platforms, 1 initialization, 2 directives */
	uint32_t body;    /* bytes; at least this if @longer */
	bool longer;      /* the body may be longer */
	int8_t mask_at;   /* offset of its mask of platforms, -1 = none */
	bool parameter;   /* IgvmParameterUse: asks for a parameter */
} IgvmTypeRow;

const IgvmTypeRow *igvm_type_row(uint32_t type);

/* One variable header. */
typedef struct IgvmHeader {
	const IgvmTypeRow *row; /* never NULL: what is not known is skipped or refused */
	size_t offset;          /* in the file */
	uint32_t mask;          /* of platforms; all ones without one */
	Bytes body;
	bool skipped; /* not known, and may be skipped; row is NULL */
	uint32_t type;
} IgvmHeader;

/* Where reading stands. Zero is not a place: igvm_first. */
typedef struct IgvmCursor {
	size_t at;
	uint8_t section;
	size_t count; /* headers read */
} IgvmCursor;

static inline IgvmCursor igvm_first(const IgvmFile *file)
{
	return (IgvmCursor){ .at = file->headers };
}

static inline bool igvm_at_end(const IgvmFile *file, const IgvmCursor *cursor)
{
	return cursor->at >= file->headers_end;
}

/**
 * igvm_next - the next header; not at the end
 * @cursor: moves on, also when the header itself is refused but its length is plausible
 *
 * Errors: PVW_IGVM_0006 (TRUNCATED) a header leaves the area of headers, _0007 (UNSUPPORTED) a
 * type that is not known and must be, _0008 (BAD_VALUE) a body of another length, _0009
 * (BAD_VALUE) a section after a later one, _0010 (LIMIT) too many headers.
 */
MUST_CHECK bool igvm_next(
	const IgvmFile *file, IgvmCursor *cursor, IgvmHeader *out, Error *err);

/* igvm_body - the body as a record; the row has seen to its length */
#define igvm_body(type, header)                                                                \
	__extension__({                                                                        \
		type body_;                                                                    \
                                                                                               \
		memcpy(&body_, (header)->body.data, sizeof(body_));                            \
		body_;                                                                         \
	})

/**
 * igvm_data - @len bytes of the file's data
 * @offset: from the start of the file; behind the headers
 *
 * Errors: PVW_IGVM_0011 (TRUNCATED) outside of the data.
 */
MUST_CHECK bool igvm_data(
	const IgvmFile *file, uint32_t offset, uint64_t len, Bytes *out, Error *err);

/**
 * igvm_data_from - everything from @offset on; PVW_IGVM_0011 (TRUNCATED) outside of the data
 */
MUST_CHECK bool igvm_data_from(const IgvmFile *file, uint32_t offset, Bytes *out, Error *err);

/* What is loaded for a platform. */
typedef struct IgvmSelection {
	uint32_t mask; /* one bit */
	uint8_t highest_vtl;
	IgvmPlatform platform;
} IgvmSelection;

/**
 * igvm_select - the platform that a load is for
 *
 * Errors: PVW_IGVM_0012 (MISSING) the file has none such, and says which it has; _0013 (BAD_VALUE)
 * a mask that is not one bit, or stands twice; those of igvm_next.
 */
MUST_CHECK bool igvm_select(
	const IgvmFile *file, IgvmPlatform platform, IgvmSelection *out, Error *err);

#endif
