// SPDX-License-Identifier: GPL-2.0
/*
 * tally [--table] PIECE...: run the pieces of a test one after the other, pass
 * on what they print, and end with "N passed, N failed, N skipped".
 *
 * A PIECE is a kind, a name and a shell command:
 *   -t NAME COMMAND  prints TAP: its points count, nested ones as well; a
 *                    failure that they do not show (the exit status, a plan
 *                    not kept, no point at all) is one more
 *   -s NAME COMMAND  is one point, by its exit status
 *   -r NAME COMMAND  is a tally itself: its last line counts
 *
 * --table: before the last line, a table of the points of the -t pieces with
 * a column for each name.
 *
 * Exit status: 0 when something passed and nothing failed, else 1.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MAX_PIECES 16
#define MAX_ROWS   1024

enum outcome { NONE, PASS, FAIL, SKIP };

static const char *const outcome_name[] = { "-", "pass", "FAIL", "skip" };

struct piece {
	char kind;
	const char *name, *command;
	int seen[4];       /* points, by outcome */
	int nested[4];     /* of them, nested and since the last wrapper */
	int plan, planned; /* points announced at the top level, and come */
};

static struct piece pieces[MAX_PIECES];
static int nr_pieces;

static struct {
	char name[128];
	enum outcome outcome[MAX_PIECES];
} rows[MAX_ROWS];
static int nr_rows;

static void note(const struct piece *p, const char *name, enum outcome outcome)
{
	int row = 0;

	while (row < nr_rows && strcmp(rows[row].name, name))
		row++;
	if (row == MAX_ROWS)
		return;
	if (row == nr_rows) {
		snprintf(rows[row].name, sizeof(rows[row].name), "%s", name);
		nr_rows++;
	}
	rows[row].outcome[p - pieces] = outcome;
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
	p->seen[outcome]++;
	note(p, name, outcome);
}

/*
 * "ok 3 - name # SKIP why", at the top level or nested once: deeper ones are
 * what a test point prints about itself.
 */
static void tap_line(struct piece *p, const char *line)
{
	bool nested = !strncmp(line, "# ", 2);
	enum outcome outcome = PASS;
	char name[128], *end;

	if (nested)
		line += 2;
	else if (sscanf(line, "1..%d", &p->plan) == 1)
		return;
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
		*end = 0;
	}
	point(p, nested, outcome, name);
}

static void totals_line(struct piece *p, const char *line)
{
	int n[3];

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
	p->seen[FAIL]++;
	printf("not ok - %s: %s\n", p->name, what);
}

static void run(struct piece *p)
{
	char *line = NULL, what[64];
	size_t room = 0;
	int status;
	FILE *out;

	printf("# %s\n", p->name);
	fflush(NULL);
	out = popen(p->command, "r");
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
	status = out ? pclose(out) : 127 << 8;
	status = WIFEXITED(status) ? WEXITSTATUS(status) :
				     128 + WTERMSIG(status);
	snprintf(what, sizeof(what), "exit status %d", status);

	if (p->kind == 's') {
		p->seen[status ? FAIL : PASS]++;
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
	fflush(stdout);
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
				       outcome_name[rows[r].outcome[i]]);
	}
	printf("\n\n");
}

int main(int argc, char **argv)
{
	int passed = 0, failed = 0, skipped = 0;
	bool table = argc > 1 && !strcmp(argv[1], "--table");

	for (int i = 1 + table; i + 2 < argc && nr_pieces < MAX_PIECES; i += 3)
		if (argv[i][0] == '-' && strchr("tsr", argv[i][1]))
			pieces[nr_pieces++] = (struct piece){
				.kind = argv[i][1],
				.name = argv[i + 1],
				.command = argv[i + 2],
			};
	if (!nr_pieces || argc != 1 + table + 3 * nr_pieces) {
		fputs("usage: tally [--table] {-t|-s|-r NAME COMMAND}...\n",
		      stderr);
		return 1;
	}
	for (int i = 0; i < nr_pieces; i++) {
		run(&pieces[i]);
		passed += pieces[i].seen[PASS];
		failed += pieces[i].seen[FAIL];
		skipped += pieces[i].seen[SKIP];
	}
	if (table)
		print_table();
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed || !passed;
}
