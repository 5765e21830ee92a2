// SPDX-License-Identifier: GPL-2.0
/*
 * coverage KERNEL COUNTS FUNCTIONS UNREACHABLE [JSON]
 *
 * What a run took of the listed functions of a gcov kernel. KERNEL is its tree,
 * COUNTS a folder with the .gcda files of the run, FUNCTIONS the list.
 *
 * gcov attributes the copies of an inlined function to where they went: they are
 * counted by the lines of the source, so that a branch is taken when it was in
 * any copy. A branch is one way out of a decision; they are numbered in their
 * function, in the order of the source.
 *
 * UNREACHABLE lists branches with a reason, one a line: "FUNCTION N: REASON why",
 * REASON is assertion, defensive, configuration or race. It is an error if one of
 * them was taken. A table goes to stdout, the same as JSON to a file.
 */
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FUNCTIONS 256
#define MAX_LINES     20000
#define MAX_BRANCHES  128
#define EX_SETUP      125

struct branch {
	double count;
	const char *reason;
};

struct line {
	bool known;
	double count;
	int nr_branches;
	struct branch branch[MAX_BRANCHES];
};

static struct function {
	char group[16], file[64], name[64];
	unsigned int first, last; /* lines */
	int branches, taken, reasoned, lines, missed;
	json_t *missed_lines, *missed_branches;
} functions[MAX_FUNCTIONS];
static int nr_functions;

static struct reason {
	char function[64], text[256];
	int branch;
	bool used;
} reasons[512];
static int nr_reasons;

static struct line *lines; /* of the file at work, by number */
static int wrong;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("coverage: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EX_SETUP);
}

static void read_functions(const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		die("cannot read %s", path);
	while (fgets(line, sizeof(line), f) && nr_functions < MAX_FUNCTIONS) {
		struct function *fn = &functions[nr_functions];

		if (*line != '#' && sscanf(line, "%15s %63s %63s", fn->group,
					   fn->file, fn->name) == 3)
			nr_functions++;
	}
	fclose(f);
}

static void read_reasons(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f) && nr_reasons < 512) {
		struct reason *r = &reasons[nr_reasons];
		char class[16];

		if (*line == '#' || *line == '\n')
			continue;
		if (sscanf(line, "%63s %d: %255[^\n]", r->function, &r->branch,
			   r->text) != 3)
			die("%s: cannot read '%s'", path, line);
		sscanf(r->text, "%15s", class);
		if (strcmp(class, "assertion") && strcmp(class, "defensive") &&
		    strcmp(class, "configuration") && strcmp(class, "race"))
			die("%s: '%s' is no reason", path, class);
		nr_reasons++;
	}
	if (f)
		fclose(f);
}

/* --- gcov ---------------------------------------------------------------- */

static void add_line(const json_t *l)
{
	size_t number = json_integer_value(json_object_get(l, "line_number"));
	const json_t *branches = json_object_get(l, "branches"), *b;
	int n = json_array_size(branches);
	struct line *to;
	size_t i;

	if (!number || number >= MAX_LINES)
		return;
	to = &lines[number];
	to->known = true;
	to->count += json_number_value(json_object_get(l, "count"));
	if (n > MAX_BRANCHES)
		n = MAX_BRANCHES;
	/* A copy that was simplified has fewer: the fullest one counts. */
	if (n > to->nr_branches) {
		memset(to->branch, 0, sizeof(to->branch));
		to->nr_branches = n;
	}
	if (n != to->nr_branches)
		return;
	json_array_foreach(branches, i, b)
		if (i < (size_t)n)
			to->branch[i].count +=
				json_number_value(json_object_get(b, "count"));
}

/* The notes are in the tree, the counts beside: gcov wants them together. */
static json_t *run_gcov(const char *kernel, const char *counts,
			const char *file)
{
	char command[4 * PATH_MAX], base[64];
	json_error_t error;
	json_t *all;
	FILE *p;

	snprintf(base, sizeof(base), "%.*s", (int)strlen(file) - 2, file);
	snprintf(command, sizeof(command),
		 "set -e; d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT; "
		 "n=$(basename '%s'); "
		 "cp '%s/%s.gcno' \"$d/$n.gcno\"; cp '%s'/\"$n.gcda\" \"$d/\"; "
		 "cd \"$d\"; gcov --json-format --branch-probabilities --stdout \"$n.gcda\"",
		 base, kernel, base, counts);
	p = popen(command, "re");
	all = json_loadf(p, 0, &error); /* to the end, or gcov gets SIGPIPE */
	if (pclose(p) || !all)
		die("%s: gcov cannot read its counts: %s", file, error.text);
	return all;
}

static bool same_file(const char *path, const char *file)
{
	size_t n = strlen(path), m = strlen(file);

	return n >= m && !strcmp(path + n - m, file) &&
	       (n == m || path[n - m - 1] == '/');
}

static void read_counts(const char *kernel, const char *counts,
			const char *file)
{
	json_t *all = run_gcov(kernel, counts, file);
	const json_t *f, *l;
	size_t i, j;

	memset(lines, 0, MAX_LINES * sizeof(*lines));
	json_array_foreach(json_object_get(all, "files"), i, f) {
		const char *path =
			json_string_value(json_object_get(f, "file"));

		if (!path || !same_file(path, file))
			continue;
		json_array_foreach(json_object_get(f, "lines"), j, l) {
			add_line(l);
		}
	}
	json_decref(all);
}

/* --- functions ----------------------------------------------------------- */

/* A function begins in the first column, and so does the brace that ends it. */
static void find(struct function *fn, const char *kernel)
{
	char path[PATH_MAX], line[1024], call[80];
	unsigned int number = 0, start = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", kernel, fn->file);
	snprintf(call, sizeof(call), "%s(", fn->name);
	f = fopen(path, "re");
	if (!f)
		die("cannot read %s", path);
	while (fgets(line, sizeof(line), f)) {
		char *at = strstr(line, call);

		number++;
		if (!strchr(" \t/*#\n", *line) && at &&
		    (at == line || strchr(" *", at[-1])))
			start = number;
		if (start && strchr(line, ';') && !fn->first)
			start = 0;
		if (start && *line == '{')
			fn->first = start;
		if (fn->first && *line == '}') {
			fn->last = number;
			break;
		}
	}
	fclose(f);
	if (!fn->last)
		die("%s: there is no %s()", fn->file, fn->name);
}

static struct reason *reason_of(const struct function *fn, int branch)
{
	for (int i = 0; i < nr_reasons; i++)
		if (reasons[i].branch == branch &&
		    !strcmp(reasons[i].function, fn->name))
			return &reasons[i];
	return NULL;
}

static void count_branch(struct function *fn, unsigned int line, double count)
{
	struct reason *r = reason_of(fn, ++fn->branches);
	/* It may have been met for once. */
	bool race = r && !strncmp(r->text, "race ", 5);

	fn->taken += count > 0;
	if (r)
		r->used = true;
	fn->reasoned += r && !(race && count > 0);
	if (r && !race && count > 0) {
		printf("%s branch %d (line %u) was taken: it is not unreachable (%s)\n",
		       fn->name, fn->branches, line, r->text);
		wrong++;
	}
	if (count <= 0)
		json_array_append_new(fn->missed_branches,
				      json_pack("{si si ss*}", "branch",
						fn->branches, "line", line,
						"reason", r ? r->text : NULL));
}

static void count(struct function *fn)
{
	fn->missed_lines = json_array();
	fn->missed_branches = json_array();
	for (unsigned int i = fn->first; i <= fn->last; i++) {
		fn->lines += lines[i].known;
		if (lines[i].known && lines[i].count <= 0) {
			fn->missed++;
			json_array_append_new(fn->missed_lines,
					      json_integer(i));
		}
		for (int b = 0; b < lines[i].nr_branches; b++)
			count_branch(fn, i, lines[i].branch[b].count);
	}
}

/* --- output -------------------------------------------------------------- */

static void print_missed(const struct function *fn)
{
	const json_t *b;
	size_t i;

	json_array_foreach(fn->missed_branches, i, b) {
		const char *why =
			json_string_value(json_object_get(b, "reason"));

		printf("    %s:%d branch %d%s%s\n", fn->file,
		       (int)json_integer_value(json_object_get(b, "line")),
		       (int)json_integer_value(json_object_get(b, "branch")),
		       why ? ": " : "", why ? why : "");
	}
}

static json_t *sum(const char *group)
{
	int branches = 0, taken = 0, reasoned = 0, all = 0, missed = 0;

	for (int i = 0; i < nr_functions; i++) {
		const struct function *fn = &functions[i];

		if (*group && strcmp(fn->group, group))
			continue;
		branches += fn->branches;
		taken += fn->taken;
		reasoned += fn->reasoned;
		all += fn->lines;
		missed += fn->missed;
	}
	printf("%-28s %4d of %4d branches %5.1f %%  (%d with a reason), %4d of %4d lines %5.1f %%\n",
	       *group ? group : "all", taken, branches,
	       branches ? 100.0 * taken / branches : 0, reasoned, all - missed,
	       all, all ? 100.0 * (all - missed) / all : 0);
	return json_pack("{si si si si si}", "branches", branches, "taken",
			 taken, "reasoned", reasoned, "lines", all, "missed",
			 missed);
}

static json_t *print_function(const struct function *fn)
{
	printf("%-28s %4d of %4d branches %5.1f %%, %4d of %4d lines\n",
	       fn->name, fn->taken, fn->branches,
	       fn->branches ? 100.0 * fn->taken / fn->branches : 100,
	       fn->lines - fn->missed, fn->lines);
	print_missed(fn);
	return json_pack("{ss ss ss si si so so}", "function", fn->name, "file",
			 fn->file, "group", fn->group, "branches", fn->branches,
			 "taken", fn->taken, "missed_branches",
			 fn->missed_branches, "missed_lines", fn->missed_lines);
}

int main(int argc, char **argv)
{
	json_t *list = json_array(), *core, *all;

	if (argc < 5)
		die("usage: coverage KERNEL COUNTS FUNCTIONS UNREACHABLE [JSON]");
	read_functions(argv[3]);
	read_reasons(argv[4]);
	lines = calloc(MAX_LINES, sizeof(*lines));
	for (int i = 0; i < nr_functions; i++) {
		struct function *fn = &functions[i];

		if (!i || strcmp(fn->file, fn[-1].file))
			read_counts(argv[1], argv[2], fn->file);
		find(fn, argv[1]);
		count(fn);
		json_array_append_new(list, print_function(fn));
	}
	for (int i = 0; i < nr_reasons; i++)
		if (!reasons[i].used) {
			printf("%s has no branch %d: what is it that has the reason '%s'?\n",
			       reasons[i].function, reasons[i].branch,
			       reasons[i].text);
			wrong++;
		}
	core = sum("core");
	all = sum("");
	list = json_pack("{si so so so}", "undead_coverage", 1, "functions",
			 list, "core", core, "all", all);
	if (argc > 5 && json_dump_file(list, argv[5], JSON_INDENT(1)))
		die("cannot write %s", argv[5]);
	return wrong ? 1 : 0;
}
