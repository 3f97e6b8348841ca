/*
 * What server.c and connection.c share.
 *
 * A connection is closed from its own callbacks alone, as their last act. Everybody else queues
 * bytes into its core and nudges it; the loop calls it soon.
 */
#ifndef WORKER_SERVER_INTERNAL_H
#define WORKER_SERVER_INTERNAL_H

#include <event2/event.h>

#include "worker/server.h"

#define NS_PER_MS UINT64_C(1000000)
#define NEVER UINT64_MAX
#define READ_SIZE ((size_t)64 * 1024)

/* A kept call that wants to be reminded. */
typedef struct Wait {
	CallId call;
	uint64_t due_ns;
} Wait;

typedef struct Connection {
	Server *server;
	uint64_t number;
	int fd;
	StreamPeer peer;
	Arena *arena; /* of core and waits */
	ServerCore *core;
	struct event *readable, *writable, *timer;
	uint64_t armed_ns; /* when the timer fires; NEVER: it does not */

	bool is_blocked; /* reading has stopped until answers are read */
	bool has_spoken; /* its first byte is there */
	uint64_t connected_ns;
	uint64_t frame;        /* number of the frame that input_ns is about */
	ServerCoreInput input; /* how far that frame is */
	uint64_t input_ns;     /* since when it is so */
	bool has_progressed;   /* the peer took bytes since settle */
	uint64_t progress_ns;  /* when it last did, or reading stopped */
	uint32_t counted;      /* its part of server->in_flight */

	Wait *waits;
	uint32_t wait_count;
} Connection;

struct Server {
	ServerOptions options;
	ServerLimits limits;
	struct event_base *base;
	StreamListener listeners[SERVER_MAX_LISTENERS];
	struct event *acceptors[SERVER_MAX_LISTENERS]; /* NULL: inherited as a connection */
	size_t listener_count;
	struct event *signals[4];
	struct event *wake, *drain, *retry_accept;
	Connection **connections; /* limits.max_connections places; NULL: free */
	uint32_t connection_count;
	uint32_t in_flight; /* calls of all connections, as of their last settle */
	uint64_t last_connection;
	Arena *decode;  /* of the one call being served */
	uint8_t *input; /* READ_SIZE bytes, of the one connection being read */
	bool woken;     /* server_wake was called */
	bool stopping;
	char why[128];
	ServerCounts counts; /* of connections that are gone, and of the server itself */
};

/** connection_open - begin with an accepted descriptor, which it owns; false without memory */
bool connection_open(Server *server, int fd, const StreamPeer *peer);

/** connection_close - end it: calls in flight are gone, the descriptor is closed */
void connection_close(Connection *connection, const char *why);

/** connection_nudge - look after output, deadlines and waits soon */
void connection_nudge(Connection *connection);

/** connection_is_done - nothing in flight and nothing to send */
bool connection_is_done(const Connection *connection);

/** server_connection_closed - one place is free; may be the end of a drain */
void server_connection_closed(Server *server, Connection *connection);

/** server_check_drain - leave the loop if it is over; called when a connection may be done */
void server_check_drain(Server *server);

#endif
