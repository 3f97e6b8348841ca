/*
 * Files to blobs, and blobs to settings.
 */
#include "agent/images.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "support/digest.h"

#define CHUNK_MAX ((uint32_t)1024 * 1024)
#define ANSWER_LIMIT ((size_t)64 * 1024) /* of one PutBlob, unpacked */

#define KERNEL_BLOB "kernel"
#define INITRD_BLOB "initrd"
#define FIRMWARE_BLOB "firmware"

/* One file on its way. */
typedef struct Upload {
	Client *client;
	const char *name, *path;
	int fd;
	uint64_t size, at;
	uint8_t *chunk;
	size_t chunk_size;
	DigestState running;
	Arena *answers;
} Upload;

DriveImages images_from_options(const Invocation *invocation)
{
	return (DriveImages){
		.kernel = invocation_value(invocation, "kernel"),
		.initrd = invocation_value(invocation, "initrd"),
		.firmware = invocation_value(invocation, "firmware-image"),
		.append = invocation_value(invocation, "append"),
	};
}

static char *words(const char *text)
{
	return (char *)(uintptr_t)text;
}

static bool system_fail(const char *path, const char *what, Error *err)
{
	error_set(err, PVW_CLI_0002, "cannot %s: %s", what, strerror(errno));
	return error_at(err, path);
}

/* The next chunk, filled as far as the file goes. */
static bool read_chunk(Upload *upload, size_t *len, Error *err)
{
	const uint64_t left = upload->size - upload->at;
	const size_t wanted = left < upload->chunk_size ? (size_t)left : upload->chunk_size;

	for (*len = 0; *len < wanted;) {
		const ssize_t n = read(upload->fd, upload->chunk + *len, wanted - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return system_fail(upload->path, "read", err);
		if (n == 0) {
			error_set(err, PVW_CLI_0002,
				"ends at 0x%" PRIx64 ", expected 0x%" PRIx64, upload->at + *len,
				upload->size);
			return error_at(err, upload->path);
		}
		*len += (size_t)n;
	}
	return true;
}

static bool put_chunk(Upload *upload, size_t len, Error *err)
{
	Pvw__V1__PutBlobRequest request;
	Pvw__V1__PutBlobResponse *answer;
	Pvw__V1__Blob chunk;
	Digest digest;

	pvw__v1__put_blob_request__init(&request);
	pvw__v1__blob__init(&chunk);
	request.name = words(upload->name);
	request.chunk = &chunk;
	chunk.total_size = upload->size;
	chunk.offset = upload->at;
	chunk.data = (ProtobufCBinaryData){ len, upload->chunk };
	chunk.last = upload->at + len == upload->size;
	if (len)
		digest_add(&upload->running, upload->chunk, len);
	if (chunk.last) {
		digest = digest_end(&upload->running);
		chunk.sha256 = (ProtobufCBinaryData){ DIGEST_SIZE, digest.bytes };
	}
	arena_reset(upload->answers);
	if (!client_call(upload->client, "PutBlob", &request.base, 0, upload->answers,
		    (ProtobufCMessage **)(void *)&answer, err))
		return error_wrap(err, "%s", upload->path);
	upload->at += len;
	if (answer->received != upload->at)
		return error_set(err, PVW_AGENT_0006,
			"PutBlob %s: %" PRIu64 " bytes received, expected %" PRIu64,
			upload->name, answer->received, upload->at);
	return true;
}

/* A file of no bytes is one chunk of none. */
static bool put_file(Upload *upload, Error *err)
{
	struct stat status;
	size_t len;

	if (fstat(upload->fd, &status) != 0)
		return system_fail(upload->path, "look at", err);
	if (!S_ISREG(status.st_mode)) {
		error_set(err, PVW_CLI_0002, "not a file, expected one whose size is known");
		return error_at(err, upload->path);
	}
	upload->size = (uint64_t)status.st_size;
	digest_begin(&upload->running);
	do {
		if (!read_chunk(upload, &len, err) || !put_chunk(upload, len, err))
			return false;
	} while (upload->at < upload->size);
	return true;
}

static bool upload_file(Upload *upload, uint64_t *sent, Error *err)
{
	bool done;

	if (!upload->path)
		return true;
	upload->fd = open(upload->path, O_RDONLY | O_CLOEXEC);
	if (upload->fd < 0)
		return system_fail(upload->path, "open", err);
	upload->at = 0;
	done = put_file(upload, err);
	close(upload->fd);
	*sent += upload->at;
	return done;
}

bool images_upload(const DriveImages *images, Client *client, uint32_t max_chunk,
	uint64_t *sent, Error *err)
{
	const struct {
		const char *name, *path;
	} files[] = {
		{ KERNEL_BLOB, images->kernel },
		{ INITRD_BLOB, images->initrd },
		{ FIRMWARE_BLOB, images->firmware },
	};
	Upload upload = {
		.client = client,
		.chunk_size = max_chunk && max_chunk < CHUNK_MAX ? max_chunk : CHUNK_MAX,
		.answers = arena_new(ANSWER_LIMIT),
	};
	bool done = false;

	*sent = 0;
	upload.chunk = malloc(upload.chunk_size);
	if (!upload.chunk || !upload.answers) {
		error_set(err, PVW_MEM_0001, "no memory for a chunk");
		goto out;
	}
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		upload.name = files[i].name;
		upload.path = files[i].path;
		if (!upload_file(&upload, sent, err))
			goto out;
	}
	done = true;
out:
	free(upload.chunk);
	arena_free(upload.answers);
	return done;
}

/*
 * Settings.
 */

static bool name_blob(
	const char *path, const char *name, Arena *arena, Pvw__V1__Source **out, Error *err)
{
	Pvw__V1__Source *source;

	if (!path)
		return true;
	source = arena_array(arena, Pvw__V1__Source, 1, err);
	if (!source)
		return false;
	pvw__v1__source__init(source);
	source->kind_case = PVW__V1__SOURCE__KIND_BLOB;
	source->blob = words(name);
	*out = source;
	return true;
}

static bool append_line(
	const char *more, Arena *arena, Pvw__V1__LinuxDirect *linux_direct, Error *err)
{
	const char *line = linux_direct->command_line;

	if (!more)
		return true;
	line = arena_printf(arena, err, "%s%s%s", line, *line && *more ? " " : "", more);
	if (!line)
		return false;
	linux_direct->command_line = words(line);
	return true;
}

bool images_name(const DriveImages *images, Arena *arena,
	Pvw__V1__DevicePlatformSettings *settings, Error *err)
{
	Pvw__V1__LinuxDirect *linux_direct = settings->linux_direct;

	if (!name_blob(images->firmware, FIRMWARE_BLOB, arena, &settings->firmware_image, err))
		return false;
	if (!images->kernel && !images->initrd && !images->append)
		return true;
	if (!linux_direct) {
		linux_direct = arena_array(arena, Pvw__V1__LinuxDirect, 1, err);
		if (!linux_direct)
			return false;
		pvw__v1__linux_direct__init(linux_direct);
		settings->linux_direct = linux_direct;
	}
	if (images->kernel)
		settings->firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT;
	return name_blob(images->kernel, KERNEL_BLOB, arena, &linux_direct->kernel, err) &&
		name_blob(images->initrd, INITRD_BLOB, arena, &linux_direct->initrd, err) &&
		append_line(images->append, arena, linux_direct, err);
}
