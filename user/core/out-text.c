// SPDX-License-Identifier: GPL-2.0
/* For people: a line for each fact, its reason below it. */
#include <stdio.h>
#include <sys/utsname.h>

#include "out.h"

#define GREEN  "32"
#define RED    "31"
#define YELLOW "33"
#define BOLD   "1"
#define DIM    "2"

static void paint(const char *code, const char *text)
{
	if (out_colour())
		printf("\033[%sm%s\033[0m", code, text);
	else
		fputs(text, stdout);
}

static void text_begin(size_t n)
{
	struct utsname u;

	uname(&u);
	printf("undead: %zu scenario%s on Linux %s\n", n, n == 1 ? "" : "s",
	       u.release);
}

static void text_open(const struct result *r)
{
	putchar('\n');
	paint(BOLD, r->name);
	printf(": %s\n", r->summary);
}

static void text_event(const struct event *e)
{
	switch (e->type) {
	case EVENT_STEP:
		printf("\n%d. ", e->number);
		paint(BOLD, e->text);
		putchar('\n');
		break;
	case EVENT_EXPECT:
		fputs("   ", stdout);
		paint(e->ok ? GREEN : RED, e->ok ? "ok    " : "FAILED");
		printf(" %s\n          ", e->text);
		paint(DIM, e->why);
		putchar('\n');
		break;
	case EVENT_NOTE:
		printf("   note   %s\n", e->text);
		break;
	case EVENT_DUMP:
		printf("   evidence\n%s\n", e->text);
		break;
	default:
		break;
	}
}

static void text_close(const struct result *r)
{
	static const char *const colour[OUTCOMES] = { GREEN, RED, RED, YELLOW };

	putchar('\n');
	if (r->ended)
		printf("Everything is gone again: %d process%s, no hold left.\n",
		       r->ended, r->ended == 1 ? "" : "es");
	paint(colour[r->outcome], outcome_name(r->outcome));
	printf(" %s: ", r->name);
	if (r->outcome != OUTCOME_SKIP)
		printf("%d of %d expectations held, %.1f s%s", r->held,
		       r->held + r->failed, (double)r->ms / 1000,
		       *r->reason ? ": " : "");
	printf("%s\n", r->reason);
}

static void text_end(const int *count, int status)
{
	(void)status;
	printf("\n%d passed, %d failed, %d broken, %d skipped\n",
	       count[OUTCOME_PASS], count[OUTCOME_FAIL], count[OUTCOME_BROKEN],
	       count[OUTCOME_SKIP]);
}

const struct out out_text = {
	.begin = text_begin,
	.open = text_open,
	.event = text_event,
	.close = text_close,
	.end = text_end,
};
