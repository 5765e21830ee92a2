/* SPDX-License-Identifier: GPL-2.0 */
/* What a runner tells its guardian, one datagram each, and how it ends. */
#ifndef UNDEAD_EVENT_H
#define UNDEAD_EVENT_H

#include <stdbool.h>
#include <sys/types.h>

/* Never folded into one another before the last line of output. */
enum outcome {
	OUTCOME_PASS,   /* every expectation held */
	OUTCOME_FAIL,   /* the kernel did something else */
	OUTCOME_BROKEN, /* our set-up failed */
	OUTCOME_SKIP,   /* this kernel or user lacks what it needs */
	OUTCOMES,
};

enum event_type {
	EVENT_STEP,    /* text; number. The guardian answers with one byte. */
	EVENT_EXPECT,  /* ok, text, why */
	EVENT_NOTE,    /* text */
	EVENT_ACTOR,   /* a process to look after: pid; text is its name */
	EVENT_CLEANER, /* the same of one that is not to be killed */
	EVENT_DUMP,    /* evidence after a failure: text, many lines */
	EVENT_BROKEN,  /* text; the last event */
	EVENT_SKIP,    /* text; the last event */
	EVENT_END,     /* the story is over; the last event */
};

struct event {
	enum event_type type;
	bool ok;
	int number;
	pid_t pid;
	char why[512];
	char text[7000];
};

#endif
