/* SPDX-License-Identifier: GPL-2.0 */
/* The only place of policy: what is run, how long, and what came of it. */
#ifndef UNDEAD_RUNNER_H
#define UNDEAD_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "core/out.h"

struct scenario;

/* Exit status of run and race, a contract; command.h has the others. */
enum {
	STATUS_PASSED = 0,
	STATUS_FAILED = 1,
	STATUS_SKIPPED = 4,
	STATUS_VACUOUS = 5,
	/* with --bisect */
	STATUS_BISECT_SKIP = 125,
	STATUS_BISECT_ABORT = 128,
};

/**
 * scenarios() - all of them, by name
 * @n: out: how many
 */
const struct scenario *const *scenarios(size_t *n);

/**
 * scenario_find() - by name
 * Return: NULL when there is none.
 */
const struct scenario *scenario_find(const char *name);

/**
 * scenario_nearest() - the name most like one that is not there
 */
const struct scenario *scenario_nearest(const char *name);

/**
 * name_distance() - in how many letters two names differ
 */
unsigned int name_distance(const char *a, const char *b);

/**
 * needs_unmet() - what of NEED_ROOT and NEED_VM is not there, and what to do
 * Return: NULL when all is.
 */
const char *needs_unmet(unsigned int needs);

/**
 * bisect_status() - for 'git bisect run': what is not the kernel's fault is
 * skipped
 */
int bisect_status(int status);

struct run_options {
	const char *artifacts; /* folder for evidence, made if missing; or NULL */
	int deadline_ms;       /* of each scenario, if not its own (0) */
	bool fail_fast;     /* the first expectation that fails is the last */
	int repeat;         /* each so many times in a row; 0: once */
	const char *record; /* file of what is done already, or NULL */
};

/**
 * run_all() - be the guardian of some scenarios, one after the other
 * @list: which
 * @n: how many
 * @out: how to show it
 * @options: how
 * Return: STATUS_*, not those of --bisect.
 */
int run_all(const struct scenario *const *list, size_t n, const struct out *out,
	    const struct run_options *options);

#endif
