/* SPDX-License-Identifier: GPL-2.0 */
/* On the host: the mutants and what is known of each. */
#ifndef RESULTS_H
#define RESULTS_H

#include <stdbool.h>
#include <stdio.h>

#define MAX_MUTANTS 4096
#define EX_SETUP    125
#define ANY         "any" /* a key: whatever the catalogue, the last word counts */

/* By what they say of the catalogue, in the order of the table. */
enum outcome {
	NOTHING,
	NOTICED,
	SURVIVED,
	UNREACHED,
	BROKEN,
	HANG,
	CRASHED,
	OUTCOMES
};

extern const char *const outcome_name[OUTCOMES];
extern const char *const operation_name[];

/**
 * struct mutant - a line of the kernel's mutants.list, and its result
 * @full: FUNCTION KIND N OPERATION
 * @scenario, @ms, @text: of the result: who noticed it, and what it said
 * @hint: who noticed it the last time, of whatever catalogue
 * @before: some catalogue has noticed it, or did not get so far
 * @why: why nothing could be seen of it
 * @sampled: it is meant
 * @dirty: it has to be looked at alone
 */
struct mutant {
	unsigned int id, site, operation, line, nth;
	char file[64], function[64], kind[16], name[64];
	char full[160];
	enum outcome outcome;
	int ms;
	bool sampled, dirty, before;
	char scenario[64], text[512], hint[64], why[256];
};

extern struct mutant mutants[MAX_MUTANTS];
extern int nr_mutants;

/* Where all is kept, and the catalogue that is meant. */
extern const char *folder, *key;

void die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
FILE *open_in(const char *name, const char *mode);

void read_mutants(const char *kernel);
struct mutant *by_id(unsigned int id);
enum outcome outcome_of(const char *name);
void read_results(void);

/* Return: how many lines are wrong, which is said. */
int read_equivalent(const char *path);

/* The commands of the same name; return the exit status. */
int list_survivors(const char *equivalent);
int list_table(const char *equivalent, const char *cited);

#endif
