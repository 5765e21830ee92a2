// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/dev.h"

/* DOCTOR_ONLY: 'make static', to be copied onto a machine in trouble. */
static const struct command *const commands[] = {
	&cmd_why,     &cmd_scan,
#ifndef DOCTOR_ONLY
	&cmd_exec,    &cmd_list,   &cmd_run,   &cmd_hold, &cmd_race,
	&cmd_release, &cmd_status, &cmd_bench, &cmd_load, &cmd_unload,
#endif
};

void complain(const struct command *c, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "undead %s: ", c->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

int usage_error(const struct command *c, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "undead %s: ", c->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; see 'undead %s --help'\n", c->name);
	return STATUS_USAGE;
}

int bad_option(const struct command *c, char **argv)
{
	return usage_error(c,
			   "'%s' is no option of this command, or lacks its value",
			   argv[optind - 1]);
}

#ifndef DOCTOR_ONLY
int open_device(const struct command *c)
{
	int fd = dev_open();

	if (fd >= 0)
		return fd;
	complain(c, "%s", dev_why(fd));
	return -1;
}
#endif

static void help(FILE *f)
{
	fputs("undead: processes that will not die: made on demand, proved, explained\n\n"
	      "Usage: undead COMMAND [OPTION...] [ARGUMENT...]\n\n",
	      f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s%s\n", commands[i]->name,
			commands[i]->summary);
	fputs("\n'undead COMMAND --help' tells more, with examples.\n", f);
#ifndef DOCTOR_ONLY
	fputs("Needs the module (undead load) for run, hold, release, status;\n"
	      "'make vm' in the sources gives a throw-away machine that has it.\n",
	      f);
#endif
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		help(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i]->name))
			return commands[i]->run(argc - 1, argv + 1);
	fprintf(stderr, "undead: '%s' is no command; see 'undead --help'\n",
		argv[1]);
	return STATUS_USAGE;
}
