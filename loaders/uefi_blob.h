/*
 * The UEFI configuration blob as a list of records: writes them one after the other, counts
 * them, pads them. It knows no record's meaning; uefi_config.h does.
 * Source: docs/formats.md, "UEFI configuration blob"
 */
#ifndef LOADERS_UEFI_BLOB_H
#define LOADERS_UEFI_BLOB_H

#include "loaders/uefi_format.h"
#include "support/byte_writer.h"

/* Sticky like its writer: after a failed append nothing is added, uefi_blob_finish tells. */
typedef struct UefiBlob {
	ByteWriter w;       /* for what is put between open and close */
	uint32_t count;     /* records, the first one too */
	bool failed;        /* an append without a payload, or one that is too long */
	uint32_t failed_at; /* its type */
	size_t failed_len;  /* its payload, bytes */
} UefiBlob;

/** uefi_blob_begin - a blob without records of its own, at the start of an unused writer */
UefiBlob uefi_blob_begin(ByteWriter w);

/**
 * uefi_blob_append - one record
 * @type:    any number; neither known nor repeated types are looked at
 * @payload: @len bytes, at least one; of any type's length
 */
void uefi_blob_append(UefiBlob *blob, uint32_t type, const void *payload, size_t len);

/* uefi_blob_append_struct - one record whose payload is a packed struct */
#define uefi_blob_append_struct(blob, type, record)                                            \
	uefi_blob_append((blob), (type), &(record), sizeof(record))

/** uefi_blob_append_string - a record with NUL at the end; none if @text is or begins empty */
void uefi_blob_append_string(UefiBlob *blob, uint32_t type, Bytes text);

/**
 * uefi_blob_open - begin a record whose payload is put into @blob->w
 *
 * Returns its mark, for uefi_blob_close. Only one record is open at a time.
 */
size_t uefi_blob_open(UefiBlob *blob, uint32_t type);

/** uefi_blob_close - pad the record opened at @mark and state its length */
void uefi_blob_close(UefiBlob *blob, size_t mark);

/**
 * uefi_blob_finish - state count and size
 * @out: the blob, exactly as long as its records
 *
 * Errors: PVW_UEFI_0001 (BAD_VALUE) an append without a payload or of 4 GiB; PVW_MEM_0002.
 */
MUST_CHECK bool uefi_blob_finish(UefiBlob *blob, Bytes *out, Error *err);

#endif
