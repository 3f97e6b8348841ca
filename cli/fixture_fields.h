/*
 * A fixture as a flat list of fields, for people and for comparing.
 */
#ifndef CLI_FIXTURE_FIELDS_H
#define CLI_FIXTURE_FIELDS_H

#include "host/fixture.h"

typedef struct FixtureField {
	const char *path; /* "expect.artifacts.uefi.config" */
	const char *value;
} FixtureField;

typedef struct FixtureFieldList {
	const FixtureField *items; /* ascending by path, each once */
	size_t count;
} FixtureFieldList;

/** fixture_fields - all of a fixture; settings that cannot be decoded are PVW_FIXTURE_0002 */
MUST_CHECK bool fixture_fields(
	const Fixture *fixture, Arena *arena, FixtureFieldList *out, Error *err);

/** fixture_expect_fields - what is expected of it, the same paths */
MUST_CHECK bool fixture_expect_fields(
	const FixtureExpect *expect, Arena *arena, FixtureFieldList *out, Error *err);

/* Two values of one path; NULL: only the other has it. */
typedef struct FixtureDifference {
	const char *path;
	const char *before, *after;
} FixtureDifference;

typedef struct FixtureDifferenceList {
	const FixtureDifference *items; /* ascending by path */
	size_t count;
} FixtureDifferenceList;

MUST_CHECK bool fixture_compare(FixtureFieldList before, FixtureFieldList after, Arena *arena,
	FixtureDifferenceList *out, Error *err);

#endif
