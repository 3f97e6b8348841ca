/*
 * The ring of events.
 */
#include "worker/events.h"

#include <stdlib.h>
#include <string.h>

/* An event's strings lie behind each other in one allocation. */
typedef struct Slot {
	Event event;
	char *strings;
} Slot;

struct Events {
	uint64_t last;
	void (*notify)(void *context);
	void *context;
	Slot slots[EVENTS_KEPT]; /* event n at n modulo EVENTS_KEPT */
};

Events *events_new(void)
{
	return calloc(1, sizeof(Events));
}

void events_free(Events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(events->slots[i].strings);
	free(events);
}

static size_t kept_length(const char *text)
{
	return text ? strnlen(text, EVENT_TEXT_SIZE - 1) : 0;
}

/* Copies @text to @at; moves @at behind it. */
static const char *keep(char **at, const char *text, size_t len)
{
	char *start = *at;

	if (len)
		memcpy(start, text, len);
	start[len] = '\0';
	*at = start + len + 1;
	return start;
}

/* Without memory an event keeps its number and loses its words. */
static void copy_strings(Slot *slot, const Event *event)
{
	const size_t target = kept_length(event->target);
	const size_t source = kept_length(event->source);
	const size_t text = kept_length(event->text);
	char *at = malloc(target + source + text + 3);

	free(slot->strings);
	slot->strings = at;
	if (!at) {
		slot->event.target = slot->event.source = slot->event.text = "";
		return;
	}
	slot->event.target = keep(&at, event->target, target);
	slot->event.source = keep(&at, event->source, source);
	slot->event.text = keep(&at, event->text, text);
}

uint64_t events_add(Events *events, const Event *event)
{
	const uint64_t seq = ++events->last;
	Slot *slot = &events->slots[seq % EVENTS_KEPT];

	slot->event = *event;
	slot->event.seq = seq;
	copy_strings(slot, event);
	if (events->notify)
		events->notify(events->context);
	return seq;
}

uint64_t events_last(const Events *events)
{
	return events->last;
}

const Event *events_next(const Events *events, uint64_t after, uint64_t *dropped)
{
	const uint64_t oldest = events->last > EVENTS_KEPT ? events->last - EVENTS_KEPT + 1 : 1;
	const uint64_t wanted = after + 1;

	*dropped = 0;
	if (after >= events->last)
		return NULL;
	if (wanted >= oldest)
		return &events->slots[wanted % EVENTS_KEPT].event;
	*dropped = oldest - wanted;
	return &events->slots[oldest % EVENTS_KEPT].event;
}

void events_on_add(Events *events, void (*notify)(void *context), void *context)
{
	events->notify = notify;
	events->context = context;
}
