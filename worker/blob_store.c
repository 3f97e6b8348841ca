/*
 * Bulk input by name.
 */
#include "worker/blob_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "support/diagnostics.h"

void blob_store_clear(BlobStore *store)
{
	for (size_t i = 0; i < store->count; i++)
		free(store->blobs[i].data);
	*store = (BlobStore){ 0 };
}

static Blob *find(BlobStore *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++) {
		if (strcmp(store->blobs[i].name, name) == 0)
			return &store->blobs[i];
	}
	return NULL;
}

const Blob *blob_store_find(const BlobStore *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++) {
		if (strcmp(store->blobs[i].name, name) == 0)
			return &store->blobs[i];
	}
	return NULL;
}

static bool check_name(const char *name, Error *err)
{
	const size_t len = strlen(name);

	if (len == 0 || len > BLOB_STORE_MAX_NAME)
		return error_set(err, PVW_BLOB_0001, "a name of %zu bytes, expected 1 to %d",
			len, BLOB_STORE_MAX_NAME);
	for (size_t i = 0; i < len; i++) {
		if (name[i] <= ' ' || name[i] > '~')
			return error_set(err, PVW_BLOB_0001,
				"byte 0x%02x in a name, expected printable ASCII",
				(unsigned)(uint8_t)name[i]);
	}
	return true;
}

static bool check_chunk(const BlobChunk *chunk, const Blob *blob, Error *err)
{
	if (chunk->offset != 0 &&
		(!blob || blob->received != chunk->offset || blob->total != chunk->total))
		return error_set(err, PVW_BLOB_0002,
			"blob \"%s\": a chunk at %" PRIu64 " of %" PRIu64 ", expected %" PRIu64
			" of %" PRIu64,
			chunk->name, chunk->offset, chunk->total, blob ? blob->received : 0,
			blob ? blob->total : chunk->total);
	if (chunk->offset > chunk->total || chunk->data.len > chunk->total - chunk->offset)
		return error_set(err, PVW_BLOB_0002,
			"blob \"%s\": %zu bytes at %" PRIu64
			", expected an end at or below %" PRIu64,
			chunk->name, chunk->data.len, chunk->offset, chunk->total);
	return true;
}

static uint64_t bytes_of_others(const BlobStore *store, const Blob *blob)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < store->count; i++)
		sum += &store->blobs[i] == blob ? 0 : store->blobs[i].total;
	return sum;
}

/* A new blob, or an old one made empty. */
static bool begin(BlobStore *store, const BlobChunk *chunk, Blob **out, Error *err)
{
	Blob *blob = find(store, chunk->name);
	const uint64_t room = BLOB_STORE_MAX_BYTES - bytes_of_others(store, blob);
	uint8_t *data;

	if (!blob && store->count == BLOB_STORE_MAX_BLOBS)
		return error_set(err, PVW_BLOB_0003, "blob \"%s\" is one more than %d",
			chunk->name, BLOB_STORE_MAX_BLOBS);
	if (chunk->total > room)
		return error_set(err, PVW_BLOB_0003,
			"blob \"%s\" of %" PRIu64 " bytes, expected at most %" PRIu64
			" beside the others",
			chunk->name, chunk->total, room);
	/* Large blocks are mapped lazily: a claimed size costs nothing until chunks come. */
	data = calloc(1, chunk->total ? (size_t)chunk->total : 1);
	if (!data)
		return error_set(err, PVW_BLOB_0003,
			"no memory for blob \"%s\" of %" PRIu64 " bytes", chunk->name,
			chunk->total);

	if (!blob) {
		blob = &store->blobs[store->count++];
		memcpy(blob->name, chunk->name, strlen(chunk->name) + 1);
	}
	free(blob->data);
	blob->data = data;
	blob->total = chunk->total;
	blob->received = 0;
	*out = blob;
	return true;
}

static bool check_digest(const Blob *blob, const Digest *expect, Error *err)
{
	const Digest found = digest_of((Bytes){ blob->data, (size_t)blob->total });
	char found_text[DIGEST_HEX_SIZE], expect_text[DIGEST_HEX_SIZE];

	if (digest_equal(found, *expect))
		return true;
	digest_format(found, found_text);
	digest_format(*expect, expect_text);
	return error_set(err, PVW_BLOB_0004, "blob \"%s\" has digest %s, expected %s",
		blob->name, found_text, expect_text);
}

bool blob_store_put(BlobStore *store, const BlobChunk *chunk, uint64_t *received, Error *err)
{
	Blob *blob;

	if (!check_name(chunk->name, err))
		return false;
	blob = find(store, chunk->name);
	if (!check_chunk(chunk, blob, err) ||
		(chunk->offset == 0 && !begin(store, chunk, &blob, err)))
		return false;

	if (chunk->data.len)
		memcpy(blob->data + chunk->offset, chunk->data.data, chunk->data.len);
	blob->received = chunk->offset + chunk->data.len;
	if (blob->received == blob->total && chunk->expect &&
		!check_digest(blob, chunk->expect, err)) {
		blob->received = 0;
		blob->total = chunk->total;
		return false;
	}
	*received = blob->received;
	return true;
}
