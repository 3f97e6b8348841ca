/*
 * Byte streams between processes: unix sockets, vsock, inherited descriptors; both ends.
 */
#ifndef WORKER_STREAM_H
#define WORKER_STREAM_H

#include <sys/types.h>
#include <time.h>

#include "support/error.h"

#define STREAM_PATH_SIZE 108 /* of a unix socket, bytes, NUL included */
#define STREAM_TEXT_SIZE 128 /* of an address as text */

typedef enum StreamKind { STREAM_UNIX, STREAM_VSOCK, STREAM_FD } StreamKind;

typedef struct StreamAddress {
	StreamKind kind;
	char path[STREAM_PATH_SIZE]; /* unix */
	uint32_t cid, port;          /* vsock; cid only to dial */
	int fd;
} StreamAddress;

/** stream_parse_listen - "unix:PATH", "vsock:PORT", "fd:N"; PVW_RPC_0031 (BAD_VALUE) */
MUST_CHECK bool stream_parse_listen(const char *text, StreamAddress *out, Error *err);

/** stream_parse_dial - "unix:PATH", "vsock:CID:PORT", "fd:N"; PVW_RPC_0031 (BAD_VALUE) */
MUST_CHECK bool stream_parse_dial(const char *text, StreamAddress *out, Error *err);

/** stream_format - the address as it was written */
void stream_format(const StreamAddress *address, char text[STREAM_TEXT_SIZE]);

/**
 * stream_dial - connect
 * @fd: receives a connected descriptor, blocking and close-on-exec, owned by the caller
 *
 * Errors: PVW_RPC_0032 (IO).
 */
MUST_CHECK bool stream_dial(const StreamAddress *address, int *fd, Error *err);

/* Somewhere to accept from; or one connection that was inherited as it is. */
typedef struct StreamListener {
	StreamAddress address;
	int fd;
	bool is_connected; /* fd is a connection, not a listener */
	int folder;        /* of a socket that is ours to unlink, open; else -1 */
	dev_t dev;         /* what we made there, and when: inode numbers are used again */
	ino_t ino;
	struct timespec changed;
} StreamListener;

/**
 * stream_listen - listen; the descriptor does not block
 *
 * A unix socket gets mode 0600 in a folder that must belong to us or to root and may not be
 * writable by others; the last folder of the path is made (0700) if it is not there. A socket that
 * is there already is replaced only if nobody answers on it.
 *
 * Errors: PVW_RPC_0032 (IO), _0033 (DENIED) the folder, _0034 (STATE) somebody answers, _0035
 * (BAD_VALUE) something else stands there.
 */
MUST_CHECK bool stream_listen(const StreamAddress *address, StreamListener *out, Error *err);

/** stream_close_listener - close, and unlink the socket if it is still the one we made */
void stream_close_listener(StreamListener *listener);

/* Who is at the other end, as the kernel knows it from the time of connecting. */
typedef struct StreamPeer {
	StreamKind kind; /* STREAM_UNIX or STREAM_VSOCK */
	uint32_t uid, gid;
	int32_t pid;
	uint32_t cid, port;
} StreamPeer;

/** stream_peer - of a connected descriptor; PVW_RPC_0029 (DENIED) if the kernel does not know */
MUST_CHECK bool stream_peer(int fd, StreamPeer *out, Error *err);

/** stream_peer_may_connect - root, our own user and @users; over vsock the host alone */
MUST_CHECK bool stream_peer_may_connect(
	const StreamPeer *peer, const uint32_t *users, size_t count, Error *err);

#endif
