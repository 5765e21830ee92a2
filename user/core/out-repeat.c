// SPDX-License-Identifier: GPL-2.0
/* Many repetitions: a line for each scenario, and all of what went wrong. */
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "util.h"

#define PROGRESS_MS 2000

struct row {
	const char *name;
	int count[OUTCOMES];
	int64_t slowest;
};

static struct row rows[256];
static size_t nr_rows, total, done;
static int64_t shown;

static void repeat_begin(size_t n)
{
	total = n;
}

static void repeat_open(const struct result *r)
{
	(void)r;
	if (now_ms() - shown < PROGRESS_MS)
		return;
	shown = now_ms();
	fprintf(stderr, "undead run: %zu of %zu\n", done, total);
}

static void repeat_event(const struct event *e)
{
	if (e->type == EVENT_EXPECT && !e->ok)
		printf("FAILED %s\n       %s\n", e->text, e->why);
	if (e->type == EVENT_DUMP)
		printf("evidence\n%s\n", e->text);
}

static struct row *row_of(const char *name)
{
	for (size_t i = 0; i < nr_rows; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	if (nr_rows + 1 < ARRAY_SIZE(rows))
		nr_rows++;
	rows[nr_rows - 1].name = name;
	return &rows[nr_rows - 1];
}

static void repeat_close(const struct result *r)
{
	struct row *row = row_of(r->name);

	done++;
	row->count[r->outcome]++;
	if (r->ms > row->slowest)
		row->slowest = r->ms;
	if (r->outcome == OUTCOME_FAIL || r->outcome == OUTCOME_BROKEN)
		printf("%s %s: %s\n", outcome_name(r->outcome), r->name,
		       r->reason);
}

static void repeat_end(const int *count, int status)
{
	(void)status;
	for (size_t i = 0; i < nr_rows; i++) {
		const int *c = rows[i].count;

		printf("%-28s %d passed, %d failed, %d broken, %d skipped, at most %.1f s\n",
		       rows[i].name, c[OUTCOME_PASS], c[OUTCOME_FAIL],
		       c[OUTCOME_BROKEN], c[OUTCOME_SKIP],
		       (double)rows[i].slowest / 1000);
	}
	printf("\n%d passed, %d failed, %d broken, %d skipped\n",
	       count[OUTCOME_PASS], count[OUTCOME_FAIL], count[OUTCOME_BROKEN],
	       count[OUTCOME_SKIP]);
}

const struct out out_repeat = {
	.begin = repeat_begin,
	.open = repeat_open,
	.event = repeat_event,
	.close = repeat_close,
	.end = repeat_end,
};
