// SPDX-License-Identifier: GPL-2.0
/* TAP 13: a test point for each scenario, its story as diagnostics. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "out.h"

static int number;

static void tap_begin(size_t n)
{
	printf("TAP version 13\n1..%zu\n", n);
}

static void tap_open(const struct result *r)
{
	printf("# %s: %s\n", r->name, r->summary);
}

static void comment(const char *indent, const char *text)
{
	while (*text) {
		int n = (int)strcspn(text, "\n");

		printf("# %s%.*s\n", indent, n, text);
		text += n;
		if (*text)
			text++;
	}
}

static void tap_event(const struct event *e)
{
	switch (e->type) {
	case EVENT_STEP:
		printf("# %d. %s\n", e->number, e->text);
		break;
	case EVENT_EXPECT:
		comment(e->ok ? "   ok     " : "   FAILED ", e->text);
		if (!e->ok)
			comment("          ", e->why);
		break;
	case EVENT_NOTE:
		comment("   note   ", e->text);
		break;
	case EVENT_DUMP:
		comment("   ", e->text);
		break;
	default:
		break;
	}
}

static void tap_close(const struct result *r)
{
	bool good = r->outcome == OUTCOME_PASS || r->outcome == OUTCOME_SKIP;

	if (r->outcome == OUTCOME_FAIL || r->outcome == OUTCOME_BROKEN)
		printf("# %s: %s\n", outcome_name(r->outcome), r->reason);
	printf("%s %d %s", good ? "ok" : "not ok", ++number, r->name);
	if (r->outcome == OUTCOME_SKIP)
		printf(" # SKIP %s", r->reason);
	putchar('\n');
}

static void tap_end(const int *count, int status)
{
	(void)status;
	printf("# Totals: pass:%d fail:%d error:%d skip:%d\n",
	       count[OUTCOME_PASS], count[OUTCOME_FAIL], count[OUTCOME_BROKEN],
	       count[OUTCOME_SKIP]);
}

const struct out out_tap = {
	.begin = tap_begin,
	.open = tap_open,
	.event = tap_event,
	.close = tap_close,
	.end = tap_end,
};
