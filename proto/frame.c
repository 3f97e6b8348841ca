/*
 * The frame header of ttrpc, [TTRPC] PROTOCOL.md.
 */
#include "proto/frame.h"

static uint32_t read_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_be32(uint32_t value, uint8_t *at)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

FrameHeader frame_header_read(const uint8_t bytes[FRAME_HEADER_SIZE])
{
	return (FrameHeader){
		.len = read_be32(bytes),
		.stream = read_be32(bytes + 4),
		.type = bytes[8],
		.flags = bytes[9],
	};
}

void frame_header_write(FrameHeader header, uint8_t bytes[FRAME_HEADER_SIZE])
{
	write_be32(header.len, bytes);
	write_be32(header.stream, bytes + 4);
	bytes[8] = header.type;
	bytes[9] = header.flags;
}
