/*
 * Bulk input by name: images that settings refer to, sent in chunks.
 *
 * What all blobs together may take is bounded; memory for a blob is reserved with its first chunk
 * and touched as chunks come.
 */
#ifndef WORKER_BLOB_STORE_H
#define WORKER_BLOB_STORE_H

#include "support/digest.h"
#include "support/error.h"

#define BLOB_STORE_MAX_BLOBS 16
#define BLOB_STORE_MAX_NAME 63                             /* bytes, without NUL */
#define BLOB_STORE_MAX_BYTES ((uint64_t)512 * 1024 * 1024) /* all blobs together */

typedef struct Blob {
	char name[BLOB_STORE_MAX_NAME + 1];
	uint8_t *data;
	uint64_t total, received; /* bytes; complete when equal */
} Blob;

/* Zero-initialised is empty. */
typedef struct BlobStore {
	Blob blobs[BLOB_STORE_MAX_BLOBS];
	size_t count;
} BlobStore;

/* One chunk as it was sent. */
typedef struct BlobChunk {
	const char *name;
	uint64_t total;  /* size of the whole, the same in every chunk */
	uint64_t offset; /* what was received so far; 0 starts the blob anew */
	Bytes data;
	const Digest *expect; /* of the whole, checked with the last chunk; NULL = not */
} BlobChunk;

/** blob_store_clear - forget everything */
void blob_store_clear(BlobStore *store);

/** blob_store_find - the blob of that name, complete or not; NULL if there is none */
const Blob *blob_store_find(const BlobStore *store, const char *name);

/**
 * blob_store_put - append one chunk
 * @received: bytes of this blob so far
 *
 * Errors: PVW_BLOB_0001 (BAD_VALUE) name, _0002 (BAD_VALUE) out of order or the total changed,
 * _0003 (LIMIT), _0004 (BAD_VALUE) digest: the blob must be sent again.
 */
MUST_CHECK bool blob_store_put(
	BlobStore *store, const BlobChunk *chunk, uint64_t *received, Error *err);

#endif
