/*
 * The ring of events.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "worker/events.h"

static uint64_t add(Events *events, const char *text)
{
	return events_add(
		events, &(Event){ .kind = EVENT_KIND_LOG, .target = "t", .text = text });
}

Test(events, are_numbered_from_one)
{
	Events *events = events_new();
	uint64_t dropped;

	cr_assert_eq(events_last(events), 0);
	cr_assert_null(events_next(events, 0, &dropped));
	cr_assert_eq(add(events, "a"), 1);
	cr_assert_eq(add(events, "b"), 2);
	cr_assert_str_eq(events_next(events, 0, &dropped)->text, "a");
	cr_assert_eq(dropped, 0);
	cr_assert_str_eq(events_next(events, 1, &dropped)->text, "b");
	cr_assert_null(events_next(events, 2, &dropped));
	cr_assert_null(events_next(events, 3, &dropped), "a number that is not there yet");
	events_free(events);
}

Test(events, copy_their_strings)
{
	Events *events = events_new();
	char text[] = "before";
	uint64_t dropped;

	events_add(events,
		&(Event){ .time_unix_ns = 5, .value = 3, .diagnostic = 7, .text = text });
	strcpy(text, "after");

	const Event *event = events_next(events, 0, &dropped);

	cr_assert_str_eq(event->text, "before");
	cr_assert_str_eq(event->target, "");
	cr_assert_str_eq(event->source, "");
	cr_assert(event->time_unix_ns == 5 && event->value == 3 && event->diagnostic == 7);
	events_free(events);
}

Test(events, cut_long_texts)
{
	Events *events = events_new();
	char text[2000];
	uint64_t dropped;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	add(events, text);
	cr_assert_eq(strlen(events_next(events, 0, &dropped)->text), EVENT_TEXT_SIZE - 1);
	events_free(events);
}

Test(events, tell_slow_readers_what_they_missed)
{
	Events *events = events_new();
	uint64_t dropped, after = 0, seen = 0;
	char text[32];

	for (int i = 1; i <= EVENTS_KEPT + 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		add(events, text);
	}

	const Event *first = events_next(events, 0, &dropped);

	cr_assert_eq(dropped, 100);
	cr_assert_eq(first->seq, 101);
	cr_assert_str_eq(first->text, "101");
	for (const Event *e; (e = events_next(events, after, &dropped)); after = e->seq)
		seen++;
	cr_assert_eq(seen, EVENTS_KEPT);
	cr_assert_eq(after, EVENTS_KEPT + 100);
	events_free(events);
}

static void count_up(void *context)
{
	(*(int *)context)++;
}

Test(events, notify_who_waits)
{
	Events *events = events_new();
	int count = 0;

	events_on_add(events, count_up, &count);
	add(events, "a");
	add(events, "b");
	events_on_add(events, NULL, NULL);
	add(events, "c");
	cr_assert_eq(count, 2);
	events_free(events);
}
