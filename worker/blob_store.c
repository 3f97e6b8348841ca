/*
 * Bulk input by name, each a sealed memory file.
 */
#include "worker/blob_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"

/* What a complete blob may never do again. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* A blob of no bytes has an address like any other. */
static const uint8_t nothing[1];

static void drop_content(Blob *blob)
{
	if (blob->bytes.len)
		munmap((void *)(uintptr_t)blob->bytes.data, blob->bytes.len);
	if (blob->fd >= 0)
		close(blob->fd);
	blob->bytes = (Bytes){ 0 };
	blob->complete = false;
	blob->received = 0;
	blob->fd = -1;
}

void blob_store_clear(BlobStore *store)
{
	for (size_t i = 0; i < store->count; i++)
		drop_content(&store->blobs[i]);
	*store = (BlobStore){ .max_bytes = store->max_bytes };
}

uint64_t blob_store_limit(const BlobStore *store)
{
	return store->max_bytes ? store->max_bytes : BLOB_STORE_DEFAULT_BYTES;
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
		(!blob || blob->received != chunk->offset || blob->total != chunk->total ||
			blob->complete))
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

static bool fail(const char *name, const char *what, Error *err)
{
	return error_set(
		err, PVW_BLOB_0003, "blob \"%s\": %s: %s", name, what, strerror(errno));
}

static bool check_room(
	const BlobStore *store, const BlobChunk *chunk, const Blob *blob, Error *err)
{
	const uint64_t room = blob_store_limit(store) - bytes_of_others(store, blob);

	if (!blob && store->count == BLOB_STORE_MAX_BLOBS)
		return error_set(err, PVW_BLOB_0003, "blob \"%s\" is one more than %d",
			chunk->name, BLOB_STORE_MAX_BLOBS);
	if (chunk->total > room)
		return error_set(err, PVW_BLOB_0003,
			"blob \"%s\" of %" PRIu64 " bytes, expected at most %" PRIu64
			" beside the others",
			chunk->name, chunk->total, room);
	return true;
}

/* A new blob, or an old one made empty. A size that is only claimed is a hole in the file. */
static bool begin(BlobStore *store, const BlobChunk *chunk, Blob **out, Error *err)
{
	Blob *blob = find(store, chunk->name);
	int fd;

	if (!check_room(store, chunk, blob, err))
		return false;
	fd = memfd_create("pvw-blob", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return fail(chunk->name, "no memory file", err);
	if (ftruncate(fd, (off_t)chunk->total) != 0) {
		fail(chunk->name, "no memory file of its size", err);
		close(fd);
		return false;
	}

	if (!blob) {
		blob = &store->blobs[store->count++];
		blob->fd = -1;
		memcpy(blob->name, chunk->name, strlen(chunk->name) + 1);
	}
	drop_content(blob);
	blob->fd = fd;
	blob->total = chunk->total;
	digest_begin(&blob->running);
	*out = blob;
	return true;
}

static bool append(Blob *blob, Bytes data, Error *err)
{
	size_t done = 0;

	while (done < data.len) {
		const ssize_t n = pwrite(blob->fd, data.data + done, data.len - done,
			(off_t)(blob->received + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(blob->name, "no memory for a chunk", err);
		done += (size_t)n;
	}
	if (data.len)
		digest_add(&blob->running, data.data, data.len);
	blob->received += data.len;
	return true;
}

static bool check_digest(const Blob *blob, Digest found, const Digest *expect, Error *err)
{
	char found_text[DIGEST_HEX_SIZE], expect_text[DIGEST_HEX_SIZE];

	if (!expect || digest_equal(found, *expect))
		return true;
	digest_format(found, found_text);
	digest_format(*expect, expect_text);
	return error_set(err, PVW_BLOB_0004, "blob \"%s\" has digest %s, expected %s",
		blob->name, found_text, expect_text);
}

/* A private mapping of a sealed file: nobody can write to the file, so nothing is ever copied. */
static bool seal(Blob *blob, Error *err)
{
	void *mapped;

	if (fcntl(blob->fd, F_ADD_SEALS, SEALS) != 0)
		return fail(blob->name, "cannot be sealed", err);
	if (blob->total == 0) {
		blob->bytes = (Bytes){ nothing, 0 };
	} else {
		mapped = mmap(NULL, (size_t)blob->total, PROT_READ, MAP_PRIVATE, blob->fd, 0);
		if (mapped == MAP_FAILED)
			return fail(blob->name, "cannot be mapped", err);
		blob->bytes = (Bytes){ mapped, (size_t)blob->total };
	}
	close(blob->fd);
	blob->fd = -1;
	return true;
}

static bool complete(Blob *blob, const Digest *expect, Error *err)
{
	const Digest found = digest_end(&blob->running);

	if (!check_digest(blob, found, expect, err) || !seal(blob, err)) {
		drop_content(blob);
		return false;
	}
	blob->digest = found;
	blob->complete = true;
	return true;
}

bool blob_store_put(BlobStore *store, const BlobChunk *chunk, uint64_t *received, Error *err)
{
	Blob *blob;

	if (!check_name(chunk->name, err))
		return false;
	blob = find(store, chunk->name);
	if (!check_chunk(chunk, blob, err) ||
		(chunk->offset == 0 && !begin(store, chunk, &blob, err)) ||
		!append(blob, chunk->data, err))
		return false;
	if (blob->received == blob->total && !complete(blob, chunk->expect, err))
		return false;
	*received = blob->received;
	return true;
}
