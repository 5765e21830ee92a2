// SPDX-License-Identifier: GPL-2.0
/* The mutants, and the results that are kept of them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

const char *const outcome_name[OUTCOMES] = {
	"nothing", "noticed", "survived", "unreached",
	"broken",  "hang",    "crashed",
};

const char *const operation_name[] = {
	"", "negated", "forced true", "forced false", "left out",
};

struct mutant mutants[MAX_MUTANTS];
int nr_mutants;
const char *folder, *key;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("mutants: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EX_SETUP);
}

FILE *open_in(const char *name, const char *mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, mode);
}

static void describe(struct mutant *m)
{
	FILE *f = fmemopen(m->full, sizeof(m->full), "w");

	fprintf(f, "%s %s %u %s", m->function, m->kind, m->nth,
		operation_name[m->operation]);
	fclose(f);
}

void read_mutants(const char *kernel)
{
	char path[512], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/mutants.list", kernel);
	f = fopen(path, "re");
	if (!f)
		die("%s: no kernel with mutants", kernel);
	while (nr_mutants < MAX_MUTANTS && fgets(line, sizeof(line), f)) {
		struct mutant *m = &mutants[nr_mutants];

		if (sscanf(line, "%u %u %u %63s %u %63s %15s %u %63s", &m->id,
			   &m->site, &m->operation, m->file, &m->line,
			   m->function, m->kind, &m->nth, m->name) != 9)
			die("%s: cannot read '%s'", path, line);
		describe(m);
		nr_mutants++;
	}
	fclose(f);
}

struct mutant *by_id(unsigned int id)
{
	if (!id || id > (unsigned int)nr_mutants)
		die("there is no mutant %u", id);
	return &mutants[id - 1];
}

enum outcome outcome_of(const char *name)
{
	for (int o = NOTICED; o < OUTCOMES; o++)
		if (!strcmp(name, outcome_name[o]))
			return o;
	return NOTHING;
}

/* A result of another catalogue says only whom to ask first. */
void read_results(void)
{
	static char line[2048];
	FILE *f = open_in("results", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char of[64], outcome[16], scenario[64], text[512] = "";
		unsigned int id;
		int ms;

		if (sscanf(line, "%63s %u %15s %63s %d %511[^\n]", of, &id,
			   outcome, scenario, &ms, text) < 5 ||
		    id > (unsigned int)nr_mutants)
			continue;
		struct mutant *m = by_id(id);

		if (outcome_of(outcome) == NOTICED)
			strcpy(m->hint, scenario);
		m->before |= outcome_of(outcome) == NOTICED ||
			     outcome_of(outcome) == HANG ||
			     outcome_of(outcome) == CRASHED;
		if (strcmp(of, key) && strcmp(key, ANY))
			continue;
		m->outcome = outcome_of(outcome);
		m->ms = ms;
		strcpy(m->scenario, scenario);
		strcpy(m->text, text);
	}
	if (f)
		fclose(f);
}
