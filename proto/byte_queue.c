/*
 * A queue of bytes in an arena of its own, which is replaced when it is too small.
 */
#include "proto/byte_queue.h"

#include <string.h>

#include "support/diagnostics.h"

#define SMALLEST ((size_t)4096)

void byte_queue_end(ByteQueue *queue)
{
	arena_free(queue->arena);
	*queue = byte_queue_of(queue->limit, queue->small, queue->small_size);
}

static size_t capacity_for(const ByteQueue *queue, size_t need)
{
	size_t cap = queue->cap < SMALLEST ? SMALLEST : 2 * queue->cap;

	if (cap > queue->limit)
		cap = queue->limit;
	return cap < need ? need : cap;
}

static bool move_to(ByteQueue *queue, size_t cap, Error *err)
{
	Arena *arena = arena_new(cap);
	uint8_t *data = NULL;

	if (arena)
		data = arena_reserve(arena, cap, 1, err);
	else
		error_set(err, PVW_MEM_0001, "%zu bytes wanted, the system has none left", cap);
	if (!data) {
		arena_free(arena);
		return false;
	}
	if (queue->len)
		memcpy(data, queue->data + queue->at, queue->len);
	arena_free(queue->arena);
	queue->arena = arena;
	queue->data = data;
	queue->cap = cap;
	queue->at = 0;
	return true;
}

bool byte_queue_reserve(ByteQueue *queue, size_t len, uint8_t **out, Error *err)
{
	if (len > queue->limit - queue->len)
		return error_set(err, PVW_MEM_0001, "%zu bytes wanted, %zu of %zu left", len,
			queue->limit - queue->len, queue->limit);
	if (len > queue->cap - queue->at - queue->len) {
		if (queue->len + len <= queue->cap / 2) {
			memmove(queue->data, queue->data + queue->at, queue->len);
			queue->at = 0;
		} else if (!move_to(queue, capacity_for(queue, queue->len + len), err)) {
			return false;
		}
	}
	*out = queue->data + queue->at + queue->len;
	return true;
}

void byte_queue_grew(ByteQueue *queue, size_t len)
{
	assert(len <= queue->cap - queue->at - queue->len);
	queue->len += len;
}

bool byte_queue_put(ByteQueue *queue, Bytes bytes, Error *err)
{
	uint8_t *room;

	if (bytes.len == 0)
		return true;
	if (!byte_queue_reserve(queue, bytes.len, &room, err))
		return false;
	memcpy(room, bytes.data, bytes.len);
	queue->len += bytes.len;
	return true;
}

void byte_queue_drop(ByteQueue *queue, size_t len)
{
	assert(len <= queue->len);
	queue->at += len;
	queue->len -= len;
	if (queue->len > 0)
		return;
	queue->at = 0;
	if (queue->arena)
		byte_queue_end(queue);
}
