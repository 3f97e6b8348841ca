/*
 * What happened, for whoever asks: a ring of the last 4096 events, numbered from 1 for ever.
 *
 * A reader remembers the number of the last event it saw. One that is too slow is told how many
 * it missed.
 */
#ifndef WORKER_EVENTS_H
#define WORKER_EVENTS_H

#include "support/diagnostics.h"

#define EVENTS_KEPT 4096
#define EVENT_TEXT_SIZE 512 /* bytes kept of a text, NUL included */

typedef enum EventKind {
	EVENT_KIND_STATE,      /* value: the state that was entered */
	EVENT_KIND_LOG,        /* value: LogLevel; filtered like the log */
	EVENT_KIND_DIAGNOSTIC, /* value: Severity */
	EVENT_KIND_BOOT,       /* value: what the guest's firmware said */
	EVENT_KIND_COUNT
} EventKind;

typedef struct Event {
	uint64_t seq;          /* set by events_add */
	uint64_t time_unix_ns; /* set by who adds it */
	EventKind kind;
	int32_t value;
	uint16_t diagnostic; /* DiagnosticId or PVW_NONE */
	bool confidential;   /* a log record's class */
	const char *target;  /* a log's; static */
	const char *source;  /* a diagnostic's; "" for none */
	const char *text;
} Event;

typedef struct Events Events;

/** events_new - an empty ring; NULL without memory */
Events *events_new(void);
void events_free(Events *events);

/**
 * events_add - one more; the oldest makes room
 *
 * Strings are copied, cut at EVENT_TEXT_SIZE; NULL reads as "". Returns its number.
 */
uint64_t events_add(Events *events, const Event *event);

/** events_last - number of the newest, 0 before the first */
uint64_t events_last(const Events *events);

/**
 * events_next - the first event behind @after, or NULL
 * @dropped: receives how many between @after and it are gone
 *
 * The event lives until the ring has turned once.
 */
const Event *events_next(const Events *events, uint64_t after, uint64_t *dropped);

/** events_on_add - @notify is called after each events_add; it must not add; NULL: nobody */
void events_on_add(Events *events, void (*notify)(void *context), void *context);

#endif
