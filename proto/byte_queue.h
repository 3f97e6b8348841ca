/*
 * A bounded first-in first-out queue of bytes, contiguous. It begins in a small place that its
 * owner lends; what does not fit there gets memory of its own, which is given back when empty.
 */
#ifndef PROTO_BYTE_QUEUE_H
#define PROTO_BYTE_QUEUE_H

#include "support/arena.h"
#include "support/bytes.h"

typedef struct ByteQueue {
	Arena *arena; /* holds @data and nothing else; NULL while that is the small place */
	uint8_t *data;
	size_t cap;
	size_t at; /* first byte in use */
	size_t len;
	size_t limit;   /* never more than that in use */
	uint8_t *small; /* lent, NULL for none */
	size_t small_size;
} ByteQueue;

/**
 * byte_queue_of - an empty queue
 * @small: @size bytes that outlive the queue, or NULL and 0; @size <= @limit
 */
static inline ByteQueue byte_queue_of(size_t limit, uint8_t *small, size_t size)
{
	return (ByteQueue){
		.data = small, .cap = size, .limit = limit, .small = small, .small_size = size
	};
}

static inline Bytes byte_queue_bytes(const ByteQueue *queue)
{
	return (Bytes){ .data = queue->len ? queue->data + queue->at : NULL,
		.len = queue->len };
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
