// SPDX-License-Identifier: GPL-2.0
/* All scenarios, from the section that SCENARIO() puts them in. */
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "scenario.h"

extern const struct scenario *__start_scenarios[], *__stop_scenarios[];

static int by_name(const void *a, const void *b)
{
	const struct scenario *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

const struct scenario *const *scenarios(size_t *n)
{
	static const struct scenario *sorted[1024];

	*n = (size_t)(__stop_scenarios - __start_scenarios);
	if (!sorted[0]) {
		memcpy(sorted, __start_scenarios, *n * sizeof(*sorted));
		qsort(sorted, *n, sizeof(*sorted), by_name);
	}
	return sorted;
}

const struct scenario *scenario_find(const char *name)
{
	size_t n;
	const struct scenario *const *all = scenarios(&n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

/* Levenshtein distance, one row at a time; long names are cut. */
unsigned int name_distance(const char *a, const char *b)
{
	unsigned int row[64], up, left;
	size_t m = strnlen(b, 63);

	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned int)j;
	for (unsigned int i = 0; a[i]; i++) {
		up = row[0];
		row[0] = i + 1;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = up + (a[i] != b[j - 1]);

			left = row[j - 1] + 1;
			up = row[j];
			if (left < best)
				best = left;
			row[j] = up + 1 < best ? up + 1 : best;
		}
	}
	return row[m];
}

const struct scenario *scenario_nearest(const char *name)
{
	size_t n;
	const struct scenario *const *all = scenarios(&n);
	const struct scenario *best = all[0];

	for (size_t i = 1; i < n; i++)
		if (name_distance(name, all[i]->name) <
		    name_distance(name, best->name))
			best = all[i];
	return best;
}
