/*
 * The table of diagnostics, and the bounded list of findings.
 */
#include "support/diagnostics.h"

#include <strings.h>

#include "support/arena.h"

static const DiagnosticRow rows[] = {
	[PVW_NONE] = { "PVW-NONE-0000", ERROR_INTERNAL, SEVERITY_ERROR, "no diagnostic", "" },
#define DIAGNOSTIC(area, number, code, severity, title, hint)                                  \
	[PVW_##area##_##number] = { "PVW-" #area "-" #number, ERROR_##code,                    \
		SEVERITY_##severity, title, hint },
#include "support/diagnostics.def"
#undef DIAGNOSTIC
};
static_assert(ARRAY_COUNT(rows) == DIAGNOSTIC_COUNT, "one row an id");
static_assert(DIAGNOSTIC_COUNT <= UINT16_MAX, "Error.diagnostic holds every id");

const DiagnosticRow *diagnostic_row(uint16_t id)
{
	return &rows[id < DIAGNOSTIC_COUNT ? id : PVW_NONE];
}

DiagnosticId diagnostic_find(const char *name)
{
	for (uint16_t id = PVW_NONE + 1; id < DIAGNOSTIC_COUNT; id++) {
		if (strcasecmp(rows[id].name, name) == 0)
			return (DiagnosticId)id;
	}
	return PVW_NONE;
}

const char *severity_name(Severity severity)
{
	static const char *const names[] = {
		[SEVERITY_NOTE] = "note",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_ERROR] = "error",
	};
	static_assert(ARRAY_COUNT(names) == SEVERITY_COUNT, "one name a severity");

	return (unsigned)severity < SEVERITY_COUNT ? names[severity] : "error";
}

bool diagnostics_init(Diagnostics *list, size_t capacity, Arena *arena, Error *err)
{
	Diagnostic *items = arena_reserve_array(arena, Diagnostic, capacity, err);

	if (!items)
		return false;
	*list = (Diagnostics){ .items = items, .capacity = capacity };
	return true;
}

/* The next free place, or NULL when the finding can only be counted. */
static Diagnostic *next_item(Diagnostics *list, Severity severity)
{
	if (list->count < list->capacity)
		return &list->items[list->count++];
	list->dropped++;
	if (severity > list->dropped_worst)
		list->dropped_worst = severity;
	return NULL;
}

void diagnostics_add(
	Diagnostics *list, uint16_t diagnostic, const char *source, const char *format, ...)
{
	const Severity severity = diagnostic_row(diagnostic)->severity;
	Diagnostic *item = next_item(list, severity);
	va_list args;

	if (!item)
		return;
	item->severity = severity;
	va_start(args, format);
	error_set_va(&item->what, diagnostic, format, args);
	va_end(args);
	if (source)
		error_at(&item->what, source);
}

void diagnostics_add_error(Diagnostics *list, const Error *err)
{
	const Severity severity = diagnostic_row(err->diagnostic)->severity;
	Diagnostic *item = next_item(list, severity);

	if (item)
		*item = (Diagnostic){ .severity = severity, .what = *err };
}

Severity diagnostics_worst(const Diagnostics *list)
{
	Severity worst = list->dropped ? list->dropped_worst : SEVERITY_NOTE;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].severity > worst)
			worst = list->items[i].severity;
	}
	return worst;
}

bool diagnostics_dropped(const Diagnostics *list, Diagnostic *out)
{
	if (list->dropped == 0)
		return false;
	out->severity = list->dropped_worst;
	error_set(&out->what, PVW_MEM_0004, "%zu more findings, %zu are shown", list->dropped,
		list->count);
	return true;
}
