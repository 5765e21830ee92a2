// SPDX-License-Identifier: GPL-2.0
/*
 * tally [--table] [--side-by-side N] PIECE...: run the pieces of a test, N at a
 * time or one after the other, pass on what they print, and end with
 * "N passed, N failed, N skipped".
 *
 * A PIECE is a kind, a name and a shell command:
 *   -t NAME COMMAND  prints TAP: its points count, nested ones as well; a
 *                    failure that they do not show (the exit status, a plan
 *                    not kept, no point at all) is one more
 *   -s NAME COMMAND  is one point, by its exit status
 *   -r NAME COMMAND  is a tally itself: its last line counts
 *
 * A piece without a point that ends by 77 is a SKIP: what it needs is gone from
 * the mirror.
 *
 * --table: before the last line, a table of the points of the -t pieces with
 * a column for each name: PASS, FAIL, BROKEN (the set-up, not the kernel; counts
 * as failed) or SKIP, and why. "1..0 # SKIP why" is a whole column.
 *
 * What failed is told again at the end, "# failed: NAME: POINT", for whoever has
 * but the last lines of a log.
 *
 * Exit status: 0 when something passed and nothing failed, else 1.
 */
#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PIECES 32
#define MAX_ROWS   1024
#define MAX_FAILED 64
#define EXIT_GONE  77

enum outcome { NONE, PASS, FAIL, SKIP, BROKEN };

static const char *const outcome_name[] = { "-", "PASS", "FAIL", "SKIP",
					    "BROKEN" };

struct piece {
	char kind;
	const char *name, *command;
	int seen[4];       /* points, by outcome */
	int nested[4];     /* of them, nested and since the last wrapper */
	int plan, planned; /* points announced at the top level, and come */
	bool broken;       /* what is told of the next point */
	char why[256];
	char *gone; /* all of it is skipped, and why */
	pid_t pid;  /* side by side: who runs it, and what it prints */
	FILE *out;
};

static struct piece pieces[MAX_PIECES];
static int nr_pieces;

static struct {
	char name[128];
	enum outcome outcome[MAX_PIECES];
	char *why[MAX_PIECES];
} rows[MAX_ROWS];
static int nr_rows;

static char *failed[MAX_FAILED];
static int nr_failed;

#define FAILED "# failed: "

static void fail(struct piece *p, const char *what)
{
	p->seen[FAIL]++;
	if (nr_failed < MAX_FAILED &&
	    asprintf(&failed[nr_failed], "%s: %s", p->name, what) > 0)
		nr_failed++;
}

static void note(const struct piece *p, const char *name, enum outcome outcome)
{
	int row = 0;

	while (row < nr_rows && strcmp(rows[row].name, name))
		row++;
	if (row == MAX_ROWS)
		return;
	if (row == nr_rows) {
		snprintf(rows[row].name, sizeof(rows[row].name), "%.127s",
			 name);
		nr_rows++;
	}
	rows[row].outcome[p - pieces] = outcome == FAIL && p->broken ? BROKEN :
								       outcome;
	free(rows[row].why[p - pieces]);
	rows[row].why[p - pieces] =
		outcome != PASS && *p->why ? strdup(p->why) : NULL;
}

/*
 * The kselftest runner wraps the output of each program in "# " and adds a
 * point of its own, "selftests: ...". That one only counts when the program
 * printed no point, or when it failed and its points do not show it.
 */
static void point(struct piece *p, bool nested, enum outcome outcome,
		  const char *name)
{
	bool wrapper = !nested && !strncmp(name, "selftests: ", 11);
	int *in = p->nested;

	if (!nested)
		p->planned++;
	if (wrapper) {
		bool silent = !in[PASS] && !in[FAIL] && !in[SKIP];
		bool hidden = outcome == FAIL && !in[FAIL];

		memset(p->nested, 0, sizeof(p->nested));
		if (!silent && !hidden)
			return;
	}
	if (nested)
		in[outcome]++;
	if (outcome == FAIL)
		fail(p, name);
	else
		p->seen[outcome]++;
	note(p, name, outcome);
}

/* What undead says of a scenario before its point: "# BROKEN: why". */
static void told(struct piece *p, const char *line)
{
	line += strncmp(line, "# ", 2) ? 0 : 2;
	if (strncmp(line, "FAIL: ", 6) && strncmp(line, "BROKEN: ", 8))
		return;
	p->broken = *line == 'B';
	snprintf(p->why, sizeof(p->why), "%s", strchr(line, ' ') + 1);
}

/* "why" of " # SKIP why" */
static const char *reason(const char *directive)
{
	directive += strspn(directive, " #");
	directive += strcspn(directive, " ");
	return directive + strspn(directive, " ");
}

/*
 * "ok 3 - name # SKIP why", at the top level or nested once: deeper ones are
 * what a test point prints about itself.
 */
static void tap_line(struct piece *p, const char *line)
{
	bool nested = !strncmp(line, "# ", 2);
	enum outcome outcome = PASS;
	char name[512], *end;

	if (nested) {
		line += 2;
	} else if (sscanf(line, "1..%d", &p->plan) == 1) {
		if (!p->plan && strstr(line, "# SKIP "))
			p->gone = strdup(strstr(line, "# SKIP ") + 7);
		return;
	}
	told(p, line);
	if (!strncmp(line, "not ok", 6)) {
		outcome = FAIL;
		line += 4;
	}
	if (strncmp(line, "ok", 2) ||
	    (line[2] && !isspace((unsigned char)line[2])))
		return;
	line += 2;
	line += strspn(line, " 0123456789");
	line += strspn(line, "- ");
	snprintf(name, sizeof(name), "%s", line);
	end = strstr(name, " # ");
	if (!end && !strncmp(name, "# ", 2))
		end = name;
	if (end) {
		if (outcome == PASS &&
		    !strncasecmp(end + strspn(end, " #"), "SKIP", 4))
			outcome = SKIP;
		snprintf(p->why, sizeof(p->why), "%s", reason(end));
		*end = 0;
	}
	point(p, nested, outcome, name);
	p->broken = false;
	*p->why = 0;
}

static void totals_line(struct piece *p, const char *line)
{
	int n[3];

	if (!strncmp(line, FAILED, strlen(FAILED)))
		fail(p, line + strlen(FAILED));
	if (sscanf(line, "%d passed, %d failed, %d skipped", n, n + 1, n + 2) !=
	    3)
		return;
	p->seen[PASS] = n[0];
	p->seen[FAIL] = n[1];
	p->seen[SKIP] = n[2];
}

/* One failure more, of which the piece itself says nothing. */
static void blame(struct piece *p, const char *what)
{
	fail(p, what);
	printf("not ok - %s: %s\n", p->name, what);
}

/* Its output waits in a file that nobody else sees. */
static void start(struct piece *p)
{
	p->out = tmpfile();
	fflush(NULL);
	p->pid = p->out ? fork() : -1;
	if (p->pid)
		return;
	dup2(fileno(p->out), STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", p->command, NULL);
	_exit(127);
}

static void run(struct piece *p)
{
	char *line = NULL, what[64];
	int status = 127 << 8;
	time_t began = time(NULL);
	size_t room = 0;
	FILE *out;

	printf("# %s\n", p->name);
	fflush(NULL);
	out = p->out ? p->out : popen(p->command, "r");
	if (p->out) {
		waitpid(p->pid, &status, 0);
		rewind(out);
	}
	while (out && getline(&line, &room, out) > 0) {
		fputs(line, stdout);
		fflush(stdout);
		line[strcspn(line, "\r\n")] = 0;
		if (p->kind == 't')
			tap_line(p, line);
		else if (p->kind == 'r')
			totals_line(p, line);
	}
	free(line);
	if (p->out)
		fclose(p->out);
	else if (out)
		status = pclose(out);
	status = WIFEXITED(status) ? WEXITSTATUS(status) :
				     128 + WTERMSIG(status);
	snprintf(what, sizeof(what), "exit status %d", status);

	if (status == EXIT_GONE && !p->planned)
		p->gone = strdup("gone from the mirror");
	if (p->gone) {
		p->seen[SKIP]++;
		printf("ok - %s # SKIP %s\n", p->name, p->gone);
	} else if (p->kind == 's') {
		if (status)
			fail(p, what);
		else
			p->seen[PASS]++;
		printf("%s - %s%s%s\n", status ? "not ok" : "ok", p->name,
		       status ? " # " : "", status ? what : "");
	} else if (status && !p->seen[FAIL]) {
		blame(p, what);
	} else if (p->planned < p->plan) {
		snprintf(what, sizeof(what), "%d points of %d came", p->planned,
			 p->plan);
		blame(p, what);
	} else if (!p->seen[PASS] && !p->seen[FAIL] && !p->seen[SKIP]) {
		blame(p, "no test ran");
	}
	printf("# %s: %ld s\n", p->name, (long)(time(NULL) - began));
	fflush(stdout);
}

/* Why not PASS: once for each reason, with the columns that have it. */
static void print_reasons(int r)
{
	for (int i = 0; i < nr_pieces; i++) {
		const char *why = rows[r].why[i];

		if (!why)
			continue;
		printf("%s %s, %s", outcome_name[rows[r].outcome[i]],
		       rows[r].name, pieces[i].name);
		for (int j = i + 1; j < nr_pieces; j++) {
			if (!rows[r].why[j] || strcmp(rows[r].why[j], why))
				continue;
			printf(", %s", pieces[j].name);
			free(rows[r].why[j]);
			rows[r].why[j] = NULL;
		}
		printf(": %s\n", why);
	}
}

static void print_table(void)
{
	int width = 0;

	for (int r = 0; r < nr_rows; r++)
		if ((int)strlen(rows[r].name) > width)
			width = strlen(rows[r].name);
	printf("\n%-*s", width, "");
	for (int i = 0; i < nr_pieces; i++)
		if (pieces[i].kind == 't')
			printf("  %10s", pieces[i].name);
	for (int r = 0; r < nr_rows; r++) {
		printf("\n%-*s", width, rows[r].name);
		for (int i = 0; i < nr_pieces; i++)
			if (pieces[i].kind == 't')
				printf("  %10s",
				       pieces[i].gone ?
					       "SKIP" :
					       outcome_name[rows[r].outcome[i]]);
	}
	printf("\n\n");
	for (int i = 0; i < nr_pieces; i++)
		if (pieces[i].gone)
			printf("SKIP all of %s: %s\n", pieces[i].name,
			       pieces[i].gone);
	for (int r = 0; r < nr_rows; r++)
		print_reasons(r);
	putchar('\n');
}

int main(int argc, char **argv)
{
	int passed = 0, broken = 0, skipped = 0;
	bool table = argc > 1 && !strcmp(argv[1], "--table");
	int at = 1 + table, width = 1;

	/* A shell has its background ignore them, and tests send them. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	if (at + 1 < argc && !strcmp(argv[at], "--side-by-side")) {
		width = atoi(argv[at + 1]);
		at += 2;
	}
	for (int i = at; i + 2 < argc && nr_pieces < MAX_PIECES; i += 3)
		if (argv[i][0] == '-' && strchr("tsr", argv[i][1]))
			pieces[nr_pieces++] = (struct piece){
				.kind = argv[i][1],
				.name = argv[i + 1],
				.command = argv[i + 2],
			};
	if (!nr_pieces || width < 1 || argc != at + 3 * nr_pieces) {
		fputs("usage: tally [--table] [--side-by-side N] {-t|-s|-r NAME COMMAND}...\n",
		      stderr);
		return 1;
	}
	for (int i = 0; i < nr_pieces; i++) {
		for (int j = i; width > 1 && j < i + width && j < nr_pieces;
		     j++)
			if (!pieces[j].out)
				start(&pieces[j]);
		run(&pieces[i]);
		passed += pieces[i].seen[PASS];
		broken += pieces[i].seen[FAIL];
		skipped += pieces[i].seen[SKIP];
	}
	if (table)
		print_table();
	for (int i = 0; i < nr_failed; i++)
		printf(FAILED "%s\n", failed[i]);
	printf("%d passed, %d failed, %d skipped\n", passed, broken, skipped);
	return broken || !passed;
}
