/* SPDX-License-Identifier: GPL-2.0 */
/* 'undead exec': what its two files share. */
#ifndef UNDEAD_EXEC_H
#define UNDEAD_EXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "lib/undead.h"

/* Exit status; all but the first are those of timeout(1). */
enum {
	EXEC_STUCK = 123,
	EXEC_TIMED_OUT = 124,
	EXEC_FAILED = 125,
};

/**
 * struct exec_run - one run of a command
 * @timeout_ms, @deadline: 0: none
 * @cancelled: by which signal to us
 * @report, @json, @file: what to tell of it, and where; NULL: stderr
 * @status: exit status
 */
struct exec_run {
	struct undead *u;
	char **argv;
	int timeout_ms;
	int64_t deadline;
	bool timed_out, interactive;
	int cancelled;
	bool report, json;
	const char *file;
	int status;
};

/**
 * exec_report() - as --report and --json want it; what is stuck in any case
 * @event: UNDEAD_ENDED, UNDEAD_STUCK or -errno
 * Return: 0, or -errno when the file cannot be written; that is said, too.
 */
int exec_report(struct exec_run *run, int event);

/**
 * exec_in_force() - the last line of --help: which guarantee is to be had here
 */
void exec_in_force(void);

#endif
