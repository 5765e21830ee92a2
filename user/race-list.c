// SPDX-License-Identifier: GPL-2.0
/* All races, from the section that RACE() puts them in. */
#include <stdlib.h>
#include <string.h>

#include "race-engine.h"
#include "runner.h"

extern const struct race *__start_races[], *__stop_races[];

static int by_name(const void *a, const void *b)
{
	const struct race *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

const struct race *const *races(size_t *n)
{
	static const struct race *sorted[256];

	*n = (size_t)(__stop_races - __start_races);
	if (!sorted[0]) {
		memcpy(sorted, __start_races, *n * sizeof(*sorted));
		qsort(sorted, *n, sizeof(*sorted), by_name);
	}
	return sorted;
}

const struct race *race_find(const char *name)
{
	size_t n;
	const struct race *const *all = races(&n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const struct race *race_nearest(const char *name)
{
	size_t n;
	const struct race *const *all = races(&n);
	const struct race *best = all[0];

	for (size_t i = 1; i < n; i++)
		if (name_distance(name, all[i]->name) <
		    name_distance(name, best->name))
			best = all[i];
	return best;
}
