/* SPDX-License-Identifier: GPL-2.0 */
/* What every command shares. */
#ifndef UNDEAD_COMMAND_H
#define UNDEAD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util.h"

/* Exit status, a contract; runner.h has the rest of them. */
enum {
	STATUS_USAGE = 2,
	STATUS_BROKEN = 3,
};

/**
 * struct command - a row of the table in undead.c
 * @name:    what the user types
 * @summary: one line
 * @help:    what --help prints: usage, options, examples, exit status
 * @run:     with argv[0] = @name; returns the exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_list, cmd_run, cmd_hold, cmd_release, cmd_race,
	cmd_status, cmd_bench, cmd_load, cmd_unload, cmd_why, cmd_scan,
	cmd_exec;

/**
 * complain() - one line to stderr: "undead NAME: what, why, what to do"
 */
void complain(const struct command *c, const char *fmt, ...) __printf(2, 3);

/**
 * usage_error() - the same, and where to read on
 * Return: STATUS_USAGE.
 */
int usage_error(const struct command *c, const char *fmt, ...) __printf(2, 3);

/**
 * bad_option() - usage_error() for what getopt_long() refused
 */
int bad_option(const struct command *c, char **argv);

/**
 * open_device() - a control file, or a complaint
 * Return: the fd, or -1.
 */
int open_device(const struct command *c);

/* getopt_long() value of --help and --json in every command. */
enum {
	OPT_HELP = 'h',
	OPT_JSON = 256,
	OPT_OWN, /* first value a command may use for itself */
};

#endif
