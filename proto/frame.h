/*
 * The frame of ttrpc: ten bytes, then data. Integers are big-endian.
 *
 *	0  length of the data, u32     the first byte is 0 in every frame we take
 *	4  stream id, u32              odd: opened by the client
 *	8  type, u8
 *	9  flags, u8
 *
 * Source: [TTRPC] PROTOCOL.md; docs/rpc.md says what we make of it.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include "support/bytes.h"
#include "support/compiler.h"

#define FRAME_HEADER_SIZE 10
#define FRAME_MAX_DATA ((uint32_t)4 * 1024 * 1024) /* bytes of data we take and send, most */

typedef enum FrameType {
	FRAME_REQUEST = 1,
	FRAME_RESPONSE = 2,
	FRAME_DATA = 3,
} FrameType;

/* A request with one of the first two wants a stream. Other bits are ignored. */
#define FRAME_REMOTE_CLOSED 0x01
#define FRAME_REMOTE_OPEN 0x02
#define FRAME_NO_DATA 0x04

typedef struct FrameHeader {
	uint32_t len; /* bytes behind the header */
	uint32_t stream;
	uint8_t type; /* FrameType, or something we do not know */
	uint8_t flags;
} FrameHeader;

/** frame_header_read - what ten bytes say; nothing is judged */
FrameHeader frame_header_read(const uint8_t bytes[FRAME_HEADER_SIZE]);

/** frame_header_write - the ten bytes of a header */
void frame_header_write(FrameHeader header, uint8_t bytes[FRAME_HEADER_SIZE]);

/** frame_stream_is_clients - odd, so a client may open it */
static inline bool frame_stream_is_clients(uint32_t stream)
{
	return stream & 1;
}

#endif
