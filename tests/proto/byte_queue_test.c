/*
 * The queue of bytes.
 */
#include <criterion/criterion.h>

#include "helpers/rpc_probe.h"
#include "proto/byte_queue.h"
#include "support/diagnostics.h"

Test(byte_queue, keeps_the_order)
{
	ByteQueue q = byte_queue_of(1 << 20, NULL, 0);
	uint64_t random = 7;
	uint64_t in = 0, out = 0;
	Error err;

	for (int round = 0; round < 20000; round++) {
		uint8_t piece[300];
		const size_t put = probe_random(&random) % sizeof(piece);

		for (size_t i = 0; i < put; i++)
			piece[i] = (uint8_t)(in++ * 7);
		cr_assert(byte_queue_put(&q, (Bytes){ piece, put }, &err));
		cr_assert_eq(q.len, in - out);

		const size_t drop = probe_random(&random) % (q.len + 1);
		const Bytes bytes = byte_queue_bytes(&q);

		for (size_t i = 0; i < drop; i++)
			if (bytes.data[i] != (uint8_t)(out++ * 7))
				cr_assert(false, "round %d", round);
		byte_queue_drop(&q, drop);
	}
	byte_queue_end(&q);
}

Test(byte_queue, never_holds_more_than_its_limit)
{
	ByteQueue q = byte_queue_of(10, NULL, 0);
	uint8_t *room;
	Error err;

	cr_assert(byte_queue_put(&q, (Bytes){ (const uint8_t *)"0123456789", 10 }, &err));
	cr_assert_not(byte_queue_reserve(&q, 1, &room, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_not_null(strstr(err.text, "of 10"), "%s", err.text);
	byte_queue_drop(&q, 4);
	cr_assert(byte_queue_put(&q, (Bytes){ (const uint8_t *)"abcd", 4 }, &err));
	cr_assert_eq(memcmp(byte_queue_bytes(&q).data, "456789abcd", 10), 0);
	byte_queue_end(&q);
}

Test(byte_queue, gives_large_memory_back_when_empty)
{
	ByteQueue q = byte_queue_of(1 << 20, NULL, 0);
	uint8_t *room;
	Error err;

	cr_assert(byte_queue_reserve(&q, 500000, &room, &err));
	memset(room, 1, 500000);
	byte_queue_grew(&q, 500000);
	byte_queue_drop(&q, 500000);
	cr_assert_null(q.arena);
	cr_assert_eq(q.cap, 0);
	cr_assert(byte_queue_put(&q, (Bytes){ (const uint8_t *)"x", 1 }, &err));
	byte_queue_end(&q);
}

Test(byte_queue, stays_in_its_small_place_while_it_can)
{
	uint8_t small[16];
	ByteQueue q = byte_queue_of(100, small, sizeof(small));
	const Bytes ten = { (const uint8_t *)"0123456789", 10 };
	Error err;

	for (int i = 0; i < 100; i++) {
		cr_assert(byte_queue_put(&q, ten, &err));
		cr_assert_eq(q.data, small);
		byte_queue_drop(&q, 10);
	}
	cr_assert(byte_queue_put(&q, ten, &err));
	cr_assert(byte_queue_put(&q, ten, &err));
	cr_assert_neq(q.data, small);
	cr_assert_eq(memcmp(byte_queue_bytes(&q).data, "01234567890123456789", 20), 0);
	byte_queue_drop(&q, 20);
	cr_assert_eq(q.data, small);
	cr_assert_null(q.arena);
	byte_queue_end(&q);
}
