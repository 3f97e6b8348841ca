/*
 * What comes out of an input, in the shape in which a fixture expects it.
 */
#ifndef CLI_FIXTURE_RECORD_H
#define CLI_FIXTURE_RECORD_H

#include "cli/input.h"

/**
 * fixture_observe - plan, and note what comes out
 * @allow:   findings that a fixture allows already; they stay allowed
 * @refusal: why it was refused, when the outcome is a refusal
 *
 * A refusal is an outcome and no failure.
 */
MUST_CHECK bool fixture_observe(const Input *input, const FixtureTextList *allow, Arena *arena,
	FixtureExpect *out, Error *refusal, Error *err);

typedef struct FixtureRecording {
	bool keep_identifiers; /* else GUIDs and serial numbers of a tree's settings are replaced */
	bool has_time;
	uint64_t unix_time;
	const char *note; /* NULL = none */
} FixtureRecording;

/**
 * fixture_record - an input and its outcome as a fixture
 * @input:   its settings are changed unless identifiers are kept
 * @refusal: as fixture_observe
 *
 * The fixture is planned again from its own bytes before it is returned, with the same outcome.
 *
 * Errors: PVW_FIXTURE_0006 (BAD_VALUE) another outcome the second time; those of fixture_write.
 */
MUST_CHECK bool fixture_record(Input *input, const FixtureRecording *how, Arena *arena,
	Fixture *out, Error *refusal, Error *err);

#endif
