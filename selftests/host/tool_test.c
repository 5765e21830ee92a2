// SPDX-License-Identifier: GPL-2.0
/*
 * The tool on a machine without the module: every bad call has the documented
 * exit status, one line that says what to do, and nothing on stdout. argv[1]
 * is the tool.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#define MAX_ARGS 8

struct call {
	const char *args[MAX_ARGS];
	int status;
	const char *says;
};

static const struct call bad[] = {
	{ { "run", "zombie-leadr" }, 2, "did you mean 'zombie-leader'?" },
	{ { "run", "--frobnicate" }, 2, "'--frobnicate' is no option" },
	{ { "run", "--artifacts" }, 2, "lacks its value" },
	{ { "run", "--deadline", "soon" }, 2, "'soon' is no duration" },
	{ { "run", "--await", "0" }, 2, "'0' is no duration" },
	{ { "run", "--repeat", "0" }, 2, "'0' is no number" },
	{ { "run", "--busy", "65" }, 2, "'65' is no number of busy loops" },
	{ { "run", "--record", "/dev/null" }, 2, "--record is for --repeat" },
	{ { "run", "--bisect", "nonsense" }, 128, "there is no scenario" },
	{ { "run", "--bisect", "--frobnicate" }, 128, "is no option" },
	{ { "frobnicate" }, 2, "is no command" },
	{ { "list", "extra" }, 2, "one argument too many" },
	{ { "hold", "--deadline" }, 2, "lacks its value" },
	{ { "hold", "--count", "0" }, 2, "no count from 1" },
	{ { "hold", "--count", "-1" }, 2, "no count from 1" },
	{ { "hold", "--count", "100000" }, 2, "no count from 1" },
	{ { "hold" }, 3, "undead load" },
	{ { "status" }, 3, "undead load" },
	{ { "status", "extra" }, 2, "one argument too many" },
	{ { "release" }, 2, "say whom" },
	{ { "release", "--all", "12" }, 2, "say whom" },
	{ { "release", "--oldest", "x" }, 2, "is no number" },
	{ { "release", "12" }, 3, "undead load" },
	{ { "release", "--all" }, 3, "undead load" },
	{ { "load", "--module", "/nonexistent.ko" }, 3, "make module" },
	{ { "load", "nonsense" }, 2, "NAME=VALUE" },
	{ { "unload", "extra" }, 2, "one argument too many" },
	{ { "exec" }, 125, "which command?" },
	{ { "exec", "--frobnicate", "true" }, 125, "is no option" },
	{ { "exec", "--timeout", "soon", "true" }, 125, "is no duration" },
	{ { "exec", "--signal", "LOUD", "true" }, 125, "is no signal" },
	{ { "exec", "--guarantee", "god", "true" }, 125, "is no guarantee" },
	{ { "exec", "/nonexistent" }, 127, "No such file" },
	{ { "scan", "extra" }, 2, "one argument too many" },
	{ { "scan", "--check", "extra" }, 3, "one argument too many" },
	{ { "scan", "--openmetrics", "/nowhere/x" },
	  3,
	  "cannot write /nowhere/x" },
};

static const struct call good[] = {
	{ { "--help" }, 0, "Usage: undead COMMAND" },
	{ { "list" }, 0, "zombie-leader " },
	{ { "list", "--json" }, 0, "\"undead_list\": 1" },
	{ { "list", "--json" }, 0, "\"needs_vm\": true" },
	{ { "run", "--help" }, 0, "Examples:" },
	{ { "list", "--help" }, 0, "Examples:" },
	{ { "hold", "--help" }, 0, "Examples:" },
	{ { "release", "--help" }, 0, "Examples:" },
	{ { "status", "--help" }, 0, "Examples:" },
	{ { "load", "--help" }, 0, "Examples:" },
	{ { "scan", "--help" }, 0, "Examples:" },
	{ { "why", "--help" }, 0, "Examples:" },
	{ { "exec", "--help" }, 0, "Examples:" },
	{ { "unload", "--help" }, 0, "Example:" },
	{ { "run", "zombie-leader" }, 4, "SKIP zombie-leader: " },
	{ { "run", "--tap", "zombie-leader" }, 4, "ok 1 zombie-leader # SKIP " },
	{ { "run", "--json", "zombie-leader" }, 4, "\"status\": 4" },
	{ { "run", "--bisect", "zombie-leader" }, 125, "SKIP" },
	{ { "run", "--repeat", "3", "zombie-leader" },
	  4,
	  "0 broken, 3 skipped" },
};

static const char *tool;
static int tests, failures;

static int read_all(FILE *f, char *text, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	return (int)n;
}

static int call(const struct call *c, FILE *out, FILE *err)
{
	const char *argv[MAX_ARGS + 2] = { tool };
	int status;
	pid_t pid;

	memcpy(argv + 1, c->args, sizeof(c->args));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		execv(tool, (char *const *)argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check(const struct call *c, bool is_bad)
{
	FILE *out = tmpfile(), *err = tmpfile();
	static char o[65536], e[65536];
	int status = call(c, out, err);
	bool ok;

	read_all(out, o, sizeof(o));
	read_all(err, e, sizeof(e));
	if (is_bad) /* one line to stderr, nothing to stdout */
		ok = !*o && strstr(e, c->says) && strchr(e, '\n') &&
		     !strchr(e, '\n')[1];
	else
		ok = strstr(o, c->says);
	ok = ok && status == c->status;
	printf("%s %d undead", ok ? "ok" : "not ok", ++tests);
	for (int i = 0; i < MAX_ARGS && c->args[i]; i++)
		printf(" %s", c->args[i]);
	printf(": %d\n", status);
	if (!ok)
		printf("# expected %d and \"%s\"; stdout \"%.200s\", stderr \"%.200s\"\n",
		       c->status, c->says, o, e);
	failures += !ok;
	fclose(out);
	fclose(err);
}

/* What --record has is told, and not played: that would be a SKIP here. */
static void check_record(void)
{
	char dir[256], path[300];
	const struct call calls[] = {
		{ { "run", "--repeat", "3", "--record", path, "zombie-leader" },
		  1,
		  "2 passed, 1 failed, 0 broken, 0 skipped, at most 7.0 s" },
		/* So many nobody has played, and half a line is none. */
		{ { "run", "--repeat", "2", "--record", path, "zombie-leader" },
		  4,
		  "0 broken, 2 skipped" },
		{ { "run", "--repeat", "5", "--record", path, "zombie-leader" },
		  4,
		  "0 broken, 5 skipped" },
		{ { "run", "--repeat", "5", "--record", path, "zombie-leader" },
		  4,
		  "0 broken, 5 skipped" },
	};
	struct utsname u;
	int lines = 0;
	FILE *f;

	if (!scratch_make(dir, sizeof(dir), "tool"))
		exit(2);
	snprintf(path, sizeof(path), "%s/record", dir);
	f = fopen(path, "w");
	if (!f)
		exit(2);
	uname(&u);
	fprintf(f,
		"0.1 zombie-leader 2 0 0 0 9000\n"
		"%s zombie-leader 2 1 0 0 7000\n"
		"%s zombie-leader 5\n",
		u.release, u.release);
	fclose(f);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		check(&calls[i], false);
	f = fopen(path, "r");
	for (int c = 0; f && c != EOF; c = getc(f))
		lines += c == '\n';
	if (f)
		fclose(f);
	printf("%s %d the record has a line for each that was played: %d\n",
	       lines == 5 ? "ok" : "not ok", ++tests, lines);
	failures += lines != 5;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: tool_test UNDEAD\n");
		return 2;
	}
	tool = argv[1];
	printf("TAP version 13\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check(&bad[i], true);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		check(&good[i], false);
	check_record();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
