/*
 * Frame headers, byte by byte.
 */
#include <criterion/criterion.h>

#include "proto/frame.h"

Test(frame, header_is_big_endian)
{
	const uint8_t bytes[FRAME_HEADER_SIZE] = { 0x00, 0x01, 0x02, 0x03, 0x80, 0x00, 0x00,
		0x05, 0x01, 0x06 };

	const FrameHeader header = frame_header_read(bytes);

	cr_assert_eq(header.len, 0x010203u);
	cr_assert_eq(header.stream, 0x80000005u);
	cr_assert_eq(header.type, FRAME_REQUEST);
	cr_assert_eq(header.flags, 6);
}

Test(frame, header_is_written_as_it_is_read)
{
	uint8_t bytes[FRAME_HEADER_SIZE];

	frame_header_write(
		(FrameHeader){ .len = 0x00400000, .stream = 0xfffffffd, .type = 2, .flags = 0 },
		bytes);

	const uint8_t expected[] = { 0x00, 0x40, 0, 0, 0xff, 0xff, 0xff, 0xfd, 2, 0 };

	cr_assert_arr_eq(bytes, expected, sizeof(expected));
}

Test(frame, odd_streams_belong_to_the_client)
{
	cr_assert(frame_stream_is_clients(1));
	cr_assert(frame_stream_is_clients(0xffffffff));
	cr_assert_not(frame_stream_is_clients(0));
	cr_assert_not(frame_stream_is_clients(2));
}
