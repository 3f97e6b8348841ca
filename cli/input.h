/*
 * The one INPUT grammar: what a command is to work on, and with which choices.
 *
 *	--fixture F | --dtb F | --socket ADDR, and options that say more about a tree or win over
 *	the same thing in a fixture or a settings document
 *
 * Fixtures and trees are planned in this process; whoever knows --socket asks a worker.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "host/command.h"
#include "host/fixture.h"
#include "worker/convert.h"

/* Everything that an input and its plan may take, bytes. */
#define INPUT_ARENA_LIMIT                                                                      \
	(PREPARE_ARENA_LIMIT + ((size_t)16 * 1024 * 1024) + 2 * INPUT_MAX_IMAGE)
#define INPUT_MAX_IMAGE ((size_t)512 * 1024 * 1024) /* bytes of a kernel, initrd or firmware */
#define INPUT_MAX_BLOBS 16
#define INPUT_MAX_FINDINGS 256

/** input_options - rows of the INPUT options */
extern const OptionRow input_options[];

typedef enum InputKind { INPUT_FIXTURE, INPUT_TREE, INPUT_SOCKET } InputKind;

typedef struct Input {
	InputKind kind;
	const char *name; /* the file or the address, as given */
	/* The rest not of a socket. */
	Fixture fixture; /* of a fixture, as it was read */
	bool has_isolation;
	IsolationType isolation; /* asked for; the tree must say the same */
	/* What Configure would take, options included. */
	Pvw__V1__DevicePlatformSettings *settings;
	NamedBytesList blobs; /* that they name */
	FactInputs facts;
	ConfigInputs config;
	PlanInputs plan;
} Input;

/* All that comes of an input. */
typedef struct InputResult {
	Facts facts;
	Config config;
	Prepared prepared;
} InputResult;

/**
 * input_load - read what the options name
 * @arena:       of INPUT_ARENA_LIMIT; everything lives there
 * @diagnostics: findings of the settings document
 *
 * Errors: PVW_INPUT_*; of files PVW_CLI_0002 (IO); PVW_FIXTURE_*, PVW_JSON_*, and those of
 * convert_settings.
 */
MUST_CHECK bool input_load(const Invocation *invocation, Arena *arena, Input *out,
	Diagnostics *diagnostics, Error *err);

/**
 * input_read_fixture - one fixture, without any options
 * @path: of the file
 */
MUST_CHECK bool input_read_fixture(const char *path, Arena *arena, Input *out, Error *err);

/** input_from_fixture - the same of a fixture that is here already; borrows from it */
MUST_CHECK bool input_from_fixture(
	const Fixture *fixture, Arena *arena, Input *out, Error *err);

/** input_convert - config.settings again, from a message that was changed */
MUST_CHECK bool input_convert(Arena *arena, Input *input, Error *err);

/** input_facts - prepare_facts, and PVW_SESSION_0002 (DENIED) when the isolation is another */
MUST_CHECK bool input_facts(
	const Input *input, Arena *arena, Facts *out, Diagnostics *diagnostics, Error *err);

/** input_plan - all three steps of prepare.h */
MUST_CHECK bool input_plan(const Input *input, Arena *arena, InputResult *out,
	Diagnostics *diagnostics, Error *err);

#endif
