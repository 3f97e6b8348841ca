/*
 * Every named check, over all that a guest is prepared from: `pvw check`.
 *
 * Loading stops at the first thing that is wrong; here every check runs on whatever could be
 * made of the input, and each finding has the name of its check, by which it is turned on, off
 * or into an error.
 */
#ifndef HOST_CHECKS_H
#define HOST_CHECKS_H

#include "worker/prepare.h"

#define CHECKS_MAX 64         /* rows of all tables together */
#define CHECK_MAX_FINDINGS 64 /* of one check */

/* How far an input comes, step by step; what a step needs and does not have is left out. */
typedef struct CheckInput {
	const FactInputs *facts;
	const ConfigInputs *config;
	const PlanInputs *plan;
	bool has_info, has_mmio;
	BootInfo info;          /* as parsed, not as judged */
	ChipsetMmioRanges mmio; /* as resolved */
	Diagnostics steps;      /* what reading, the steps and the whole preparation said */
} CheckInput;

typedef struct Check {
	const char *name;    /* stable; -W and -E know it */
	uint16_t diagnostic; /* what it finds first of all */
	bool is_off;         /* only by -W */
	/* One of these; none: what the steps say that is of this check's row. */
	size_t boot_info; /* row of boot_info_checks, plus 1 */
	size_t layout;    /* row of layout_checks, plus 1 */
	void (*run)(const CheckInput *in, Arena *arena, Diagnostics *found);
} Check;

typedef struct CheckList {
	Check items[CHECKS_MAX];
	size_t count;
} CheckList;

/** checks_all - every check, in the order of the report */
void checks_all(CheckList *out);

/** check_find - a row by its name, or NULL */
const Check *check_find(const CheckList *list, const char *name);

/**
 * check_input_make - take an input as far as it goes
 * @findings: of its documents; taken over into the steps
 * @out:      borrows the inputs; the rest lives in @arena
 *
 * Fails for want of memory only: what is wrong with the input is what is looked for.
 */
MUST_CHECK bool check_input_make(const FactInputs *facts, const ConfigInputs *config,
	const PlanInputs *plan, const Diagnostics *findings, Arena *arena, CheckInput *out,
	Error *err);

/** check_run - what one check finds */
void check_run(const Check *check, const CheckInput *in, Arena *arena, Diagnostics *found);

#endif
