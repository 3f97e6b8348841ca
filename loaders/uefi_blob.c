/*
 * Records with lengths in front and zeros behind, and their count in the first of them.
 */
#include "loaders/uefi_blob.h"

#include "support/diagnostics.h"

/* Lengths have 32 bits, header and padding included. */
#define MAX_PAYLOAD ((size_t)UINT32_MAX - sizeof(UefiRecordHeader) - UEFI_RECORD_ALIGN)

UefiBlob uefi_blob_begin(ByteWriter w)
{
	const UefiStructureCount first = {
		.header = { UEFI_RECORD_STRUCTURE_COUNT, sizeof(first) },
	};
	UefiBlob blob = { .w = w, .count = 1 };

	assert(w.len == 0);
	put_struct(&blob.w, first);
	return blob;
}

static void fail(UefiBlob *blob, uint32_t type, size_t len)
{
	if (blob->failed)
		return;
	blob->failed = true;
	blob->failed_at = type;
	blob->failed_len = len;
}

/* The firmware halts at a record without payload. */
static bool is_payload(size_t len)
{
	return len > 0 && len <= MAX_PAYLOAD;
}

/* Bytes of the record around a payload that is one. */
static size_t record_length(size_t len)
{
	return (sizeof(UefiRecordHeader) + len + UEFI_RECORD_ALIGN - 1) &
		~((size_t)UEFI_RECORD_ALIGN - 1);
}

/* @len bytes of payload, of which @data gives the first @data_len; the others are 0. */
static void put_record(
	UefiBlob *blob, uint32_t type, const void *data, size_t data_len, size_t len)
{
	UefiRecordHeader header = { .type = type };
	uint8_t *at;

	if (blob->failed || !is_payload(len)) {
		fail(blob, type, len);
		return;
	}
	header.length = (uint32_t)record_length(len);
	blob->count++;
	at = byte_writer_take(&blob->w, header.length);
	if (!at)
		return;
	/* The last eight bytes are zeros before they are payload: that is the padding. */
	memset(at + header.length - UEFI_RECORD_ALIGN, 0, UEFI_RECORD_ALIGN);
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), data, data_len);
}

void uefi_blob_append(UefiBlob *blob, uint32_t type, const void *payload, size_t len)
{
	put_record(blob, type, payload, len, len);
}

void uefi_blob_append_string(UefiBlob *blob, uint32_t type, Bytes text)
{
	/* An empty string would end the guest's set of SMBIOS strings early. */
	if (text.len == 0 || text.data[0] == 0)
		return;
	put_record(blob, type, text.data, text.len, text.len + (text.data[text.len - 1] != 0));
}

size_t uefi_blob_open(UefiBlob *blob, uint32_t type)
{
	const UefiRecordHeader header = { .type = type };
	const size_t mark = blob->w.len;

	put_struct(&blob->w, header);
	return mark;
}

void uefi_blob_close(UefiBlob *blob, size_t mark)
{
	const size_t len = blob->w.len - mark - sizeof(UefiRecordHeader);

	if (blob->failed || blob->w.overflow)
		return;
	if (!is_payload(len)) {
		UefiRecordHeader header = { 0 };

		if (blob->w.base)
			memcpy(&header, blob->w.base + mark, sizeof(header));
		fail(blob, header.type, len);
		return;
	}
	put_padding(&blob->w, UEFI_RECORD_ALIGN);
	patch_u32(&blob->w, mark + offsetof(UefiRecordHeader, length),
		(uint32_t)record_length(len));
	blob->count++;
}

static bool refuse(const UefiBlob *blob, Error *err)
{
	if (blob->w.arena)
		arena_shrink(blob->w.arena, blob->w.base, 0);
	if (blob->failed)
		return error_set(err, PVW_UEFI_0001,
			"record 0x%x: payload of %zu bytes, expected 1 to %zu", blob->failed_at,
			blob->failed_len, MAX_PAYLOAD);
	return error_set(err, PVW_UEFI_0001,
		"records of %zu bytes together, expected at most %u", blob->w.len, UINT32_MAX);
}

bool uefi_blob_finish(UefiBlob *blob, Bytes *out, Error *err)
{
	if (blob->failed || blob->w.len > UINT32_MAX)
		return refuse(blob, err);
	patch_u32(&blob->w, offsetof(UefiStructureCount, count), blob->count);
	patch_u32(&blob->w, offsetof(UefiStructureCount, size), (uint32_t)blob->w.len);
	return byte_writer_finish(&blob->w, "uefi configuration blob", out, err);
}
