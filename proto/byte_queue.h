/*
 * A bounded first-in first-out queue of bytes, contiguous, that gives its memory back when empty.
 */
#ifndef PROTO_BYTE_QUEUE_H
#define PROTO_BYTE_QUEUE_H

#include "support/arena.h"
#include "support/bytes.h"

typedef struct ByteQueue {
	Arena *arena; /* holds @data and nothing else; NULL while there is none */
	uint8_t *data;
	size_t cap;
	size_t at; /* first byte in use */
	size_t len;
	size_t limit; /* never more than that in use */
} ByteQueue;

static inline ByteQueue byte_queue_of(size_t limit)
{
	return (ByteQueue){ .limit = limit };
}

static inline Bytes byte_queue_bytes(const ByteQueue *queue)
{
	return (Bytes){ .data = queue->data + queue->at, .len = queue->len };
}

/**
 * byte_queue_reserve - room for @len more bytes at the end, not in use yet
 *
 * The pointer holds until the next call with this queue.
 *
 * Errors: PVW_MEM_0001 (LIMIT) beyond the queue's limit, or no memory.
 */
MUST_CHECK bool byte_queue_reserve(ByteQueue *queue, size_t len, uint8_t **out, Error *err);

/** byte_queue_grew - @len bytes of what was reserved are in use now */
void byte_queue_grew(ByteQueue *queue, size_t len);

/** byte_queue_put - append a copy; errors of byte_queue_reserve */
MUST_CHECK bool byte_queue_put(ByteQueue *queue, Bytes bytes, Error *err);

/** byte_queue_drop - forget the first @len bytes, at most queue->len */
void byte_queue_drop(ByteQueue *queue, size_t len);

/** byte_queue_end - forget everything, give the memory back */
void byte_queue_end(ByteQueue *queue);

#endif
