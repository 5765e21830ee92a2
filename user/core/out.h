/* SPDX-License-Identifier: GPL-2.0 */
/* Output of 'undead run': text for people, TAP, JSON. */
#ifndef UNDEAD_OUT_H
#define UNDEAD_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

/**
 * struct result - how one scenario ended
 * @name, @summary: of the scenario
 * @outcome: of it
 * @reason:  why it is BROKEN or SKIP, else what failed first, or ""
 * @held, @failed: expectations that did and did not hold
 * @step:    number of the last step shown
 * @ended:   processes of the story that are known to have ended
 * @ms:      how long it took
 */
struct result {
	const char *name, *summary;
	enum outcome outcome;
	char reason[512];
	int held, failed;
	int step;
	int ended;
	int64_t ms;
};

/**
 * struct out - one way to show a run
 * @begin: before the first scenario; @n is how many
 * @open:  a scenario begins; only the names in @r are set
 * @event: it tells something
 * @close: it is over
 * @end:   all are over; @status is the exit status, @count by outcome
 */
struct out {
	void (*begin)(size_t n);
	void (*open)(const struct result *r);
	void (*event)(const struct event *e);
	void (*close)(const struct result *r);
	void (*end)(const int *count, int status);
};

extern const struct out out_text, out_tap, out_json, out_repeat;

/**
 * outcome_name() - "PASS", "FAIL", "BROKEN", "SKIP"
 */
const char *outcome_name(enum outcome o);

/**
 * out_safe() - hostile text made safe for a terminal and for one line
 * @dst: out, NUL-terminated, whatever is not printable ASCII as \xNN
 * Return: @dst.
 */
char *out_safe(char *dst, size_t size, const char *src);

/**
 * out_colour() - may escape sequences be written to stdout
 */
int out_colour(void);

#endif
