// SPDX-License-Identifier: GPL-2.0
/* What is told of the results: the table, and what is left to be noticed. */
#include <stdlib.h>
#include <string.h>

#include "results.h"

int read_equivalent(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	int wrong = 0;

	while (f && fgets(line, sizeof(line), f)) {
		char full[160], why[256];
		struct mutant *m = NULL;

		if (*line == '#' || *line == '\n')
			continue;
		if (sscanf(line, "%159[^:]: %255[^\n]", full, why) != 2)
			die("%s: cannot read '%s'", path, line);
		for (int i = 0; i < nr_mutants && !m; i++)
			if (!strcmp(mutants[i].full, full))
				m = &mutants[i];
		if (!m) {
			printf("%s: there is no mutant '%s'\n", path, full);
			wrong++;
			continue;
		}
		strcpy(m->why, why);
		if (m->outcome == NOTICED) {
			printf("%s: '%s' was noticed by %s: it is not equivalent\n",
			       path, full, m->scenario);
			wrong++;
		}
	}
	if (f)
		fclose(f);
	return wrong;
}

static void print_one(const struct mutant *m)
{
	printf("%-10s %-52s %s:%u %s", outcome_name[m->outcome], m->full,
	       m->file, m->line, m->name);
	if (*m->why)
		printf("; equivalent: %s", m->why);
	else if (m->outcome != SURVIVED && m->outcome != UNREACHED)
		printf("; %.1f s; %s: %s", m->ms / 1000.0, m->scenario,
		       m->text);
	putchar('\n');
}

/* Is there a mutant of it; one that made an expectation FAIL which cites it? */
static void look_for(const char *function, bool *exists, bool *red)
{
	char citation[80];

	*exists = false;
	*red = false;
	snprintf(citation, sizeof(citation), "| %s()", function);
	for (int i = 0; i < nr_mutants; i++) {
		if (strcmp(mutants[i].function, function))
			continue;
		*exists = true;
		*red |= mutants[i].outcome == NOTICED &&
			strstr(mutants[i].text, citation);
	}
}

/* What expectations cite, and nothing shows that they could FAIL for it. */
static void print_citations(const char *path)
{
	int cited = 0, with_mutants = 0, reds = 0;
	FILE *f = fopen(path, "re");
	char function[64];

	while (f && fscanf(f, "%63s", function) == 1) {
		bool exists, red;

		look_for(function, &exists, &red);
		cited++;
		with_mutants += exists;
		reds += red;
		if (!red)
			printf("cited, and no mutant of it %s: %s()\n",
			       exists ? "makes that expectation FAIL" :
					"is made",
			       function);
	}
	if (f)
		fclose(f);
	printf("# citations: %d functions, %d have mutants, of %d one makes an expectation FAIL that cites it\n",
	       cited, with_mutants, reds);
}

/* Nothing FAILED with it, and nobody says why that is right. */
static bool open_question(const struct mutant *m)
{
	return m->outcome > NOTICED && !*m->why;
}

/* For docs/mutants.md: what is left to be noticed, by function. */
int list_survivors(const char *equivalent)
{
	const char *function = "";
	int wrong = read_equivalent(equivalent);

	for (int i = 0; i < nr_mutants; i++) {
		const struct mutant *m = &mutants[i];

		if (!open_question(m))
			continue;
		if (strcmp(function, m->function))
			printf("\n### %s\n\n", m->function);
		function = m->function;
		printf("- %s %u %s (%s:%u%s%s): %s%s%s\n", m->kind, m->nth,
		       operation_name[m->operation], m->file, m->line,
		       strcmp(m->name, "-") ? ", " : "",
		       strcmp(m->name, "-") ? m->name : "",
		       outcome_name[m->outcome],
		       strcmp(m->scenario, "-") ? " in " : "",
		       strcmp(m->scenario, "-") ? m->scenario : "");
	}
	return wrong ? 1 : 0;
}

int list_table(const char *equivalent, const char *cited)
{
	int count[OUTCOMES] = { 0 }, reasons = 0;
	int wrong = read_equivalent(equivalent);

	for (int o = NOTICED; o < OUTCOMES; o++)
		for (int i = 0; i < nr_mutants; i++) {
			if ((int)mutants[i].outcome != o)
				continue;
			print_one(&mutants[i]);
			count[o]++;
			reasons += (o == SURVIVED || o == UNREACHED) &&
				   *mutants[i].why;
		}
	print_citations(cited);
	int judged = count[NOTICED] + count[SURVIVED] + count[UNREACHED];

	printf("# summary: mutants: %d, noticed %d, survived %d, never reached %d (of those two %d equivalent); counted apart: broken %d, hang %d, crashed %d\n",
	       judged + count[BROKEN] + count[HANG] + count[CRASHED],
	       count[NOTICED], count[SURVIVED], count[UNREACHED], reasons,
	       count[BROKEN], count[HANG], count[CRASHED]);
	if (judged > reasons)
		printf("# score: %.1f %%\n",
		       100.0 * count[NOTICED] / (judged - reasons));
	return wrong ? 1 : 0;
}
