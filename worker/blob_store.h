/*
 * Bulk input by name: images that settings refer to, sent in chunks.
 *
 * What all blobs together may take is bounded. Each is a memory file: a claimed size costs nothing
 * until chunks come, and a complete blob is sealed and mapped once, read-only. Nobody, not even
 * the worker itself, can change it then, so plans borrow its bytes instead of copying them.
 */
#ifndef WORKER_BLOB_STORE_H
#define WORKER_BLOB_STORE_H

#include "support/digest.h"
#include "support/error.h"

#define BLOB_STORE_MAX_BLOBS 16
#define BLOB_STORE_MAX_NAME 63 /* bytes, without NUL */
/* All blobs together, unless the worker was started with another limit. */
#define BLOB_STORE_DEFAULT_BYTES ((uint64_t)512 * 1024 * 1024)

typedef struct Blob {
	char name[BLOB_STORE_MAX_NAME + 1];
	uint64_t total, received; /* bytes */
	bool complete;
	Bytes bytes;   /* once complete; read-only, until the blob is replaced or cleared */
	Digest digest; /* once complete */
	int fd;        /* what comes in, while it comes; -1 behind that */
	DigestState running; /* of what was received */
} Blob;

/* Zero-initialised is empty. */
typedef struct BlobStore {
	uint64_t max_bytes; /* 0: BLOB_STORE_DEFAULT_BYTES */
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

/** blob_store_clear - forget everything but the limit */
void blob_store_clear(BlobStore *store);

/** blob_store_limit - what all blobs together may take, bytes */
uint64_t blob_store_limit(const BlobStore *store);

/** blob_store_find - the blob of that name, complete or not; NULL if there is none */
const Blob *blob_store_find(const BlobStore *store, const char *name);

/**
 * blob_store_put - append one chunk
 * @received: bytes of this blob so far
 *
 * A chunk that is refused changes nothing, but for a wrong digest: the blob must be sent again.
 *
 * Errors: PVW_BLOB_0001 (BAD_VALUE) name, _0002 (BAD_VALUE) out of order or the total changed,
 * _0003 (LIMIT) number, size or the machine's memory, _0004 (BAD_VALUE) digest.
 */
MUST_CHECK bool blob_store_put(
	BlobStore *store, const BlobChunk *chunk, uint64_t *received, Error *err);

#endif
