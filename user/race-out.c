// SPDX-License-Identifier: GPL-2.0
/* What came of races: text for people, and TAP 13. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "core/out.h"
#include "race-engine.h"

#define BAR 40

static int number;

static void paint(const char *code, const char *text)
{
	if (out_colour())
		printf("\033[%sm%s\033[0m", code, text);
	else
		fputs(text, stdout);
}

static const char *duration(char *buf, size_t size, int64_t ns)
{
	int64_t size_ns = ns < 0 ? -ns : ns;

	if (size_ns < 10000)
		snprintf(buf, size, "%" PRId64 " ns", ns);
	else if (size_ns < 10000000)
		snprintf(buf, size, "%.1f us", (double)ns / 1e3);
	else
		snprintf(buf, size, "%.1f ms", (double)ns / 1e6);
	return buf;
}

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100 * (double)part / (double)all : 0;
}

/* --- text --------------------------------------------------------------- */

static void forced(const char *indent, const struct race_result *r)
{
	const struct race_shared *s = r->shared;
	bool any = false;

	for (int o = 0; o < s->search.outcomes; o++) {
		if (!s->forced_rounds[o])
			continue;
		printf("%s%s '%s' first: %s", any ? ";" : indent,
		       any ? "" : "forced  ",
		       r->race->sides[r->race->forced[o] - 1].name,
		       r->race->outcomes[o]);
		any = true;
	}
	if (any)
		putchar('\n');
}

static void summary(const char *indent, const struct race_result *r)
{
	const struct search *search = &r->shared->search;
	char a[32], b[32];
	int64_t from, to;

	forced(indent, r);
	for (int o = 0; o < search->outcomes; o++)
		printf("%smet      %-12s %10" PRIu64 " of %" PRIu64
		       ", %.1f %%\n",
		       indent, r->race->outcomes[o], search->met[o],
		       search->rounds, percent(search->met[o], search->rounds));
	if (search_window(search, &from, &to))
		printf("%swindow   '%s' later by %s to %s\n", indent,
		       r->race->sides[0].name, duration(a, sizeof(a), from),
		       duration(b, sizeof(b), to));
}

/* A letter for each outcome, as long as its share. */
static void bar(const struct search *search, const struct cell *c)
{
	uint64_t sum = 0, below = 0;
	int at = 0;

	for (int o = 0; o < search->outcomes; o++)
		sum += c->met[o];
	for (int o = 0; o < search->outcomes; o++) {
		below += c->met[o];
		for (; sum && at < (int)(below * BAR / sum); at++)
			putchar("#.o+"[o]);
	}
}

static void histogram(const struct race_result *r)
{
	const struct search *search = &r->shared->search;
	char buf[32];

	printf("   %11s %8s  share of", "delay", "rounds");
	for (int o = 0; o < search->outcomes; o++)
		printf(" %c %s", "#.o+"[o], r -> race -> outcomes[o]);
	putchar('\n');
	for (int i = 0; i < search->nr; i++) {
		const struct cell *c = &search->cells[i];

		if (!c->rounds)
			continue;
		printf("   %11s %8" PRIu64 "  |",
		       duration(buf, sizeof(buf), c->delay), c->rounds);
		bar(search, c);
		puts("|");
	}
}

static double rate(const struct race_result *r)
{
	return r->shared->free_ms ? (double)r->shared->search.rounds * 1000 /
					    (double)r->shared->free_ms :
				    0;
}

static void text_begin(size_t n)
{
	struct utsname u;

	uname(&u);
	printf("undead: %zu race%s on Linux %s\n", n, n == 1 ? "" : "s",
	       u.release);
}

static void text_start(const struct race_result *r)
{
	putchar('\n');
	paint("1", r->race->name);
	printf(": %s; seed %#" PRIx64 "\n", r->race->summary, r->seed);
}

static void text_show(const struct race_result *r)
{
	static const char *const colour[RACE_ENDS] = { "32", "31", "31", "33",
						       "35" };

	if (r->shared->search.rounds) {
		summary("   ", r);
		histogram(r);
	}
	paint(colour[r->end], race_end_name(r->end));
	printf(" %s: ", r->race->name);
	if (r->end != RACE_SKIP)
		printf("%" PRIu64 " free rounds, %.0f a second%s",
		       r->shared->search.rounds, rate(r),
		       *r->reason ? ": " : "");
	printf("%s\n", r->reason);
}

static void text_end(const int *count, int status)
{
	(void)status;
	printf("\n%d passed, %d failed, %d broken, %d skipped, %d vacuous\n",
	       count[RACE_PASS], count[RACE_FAIL], count[RACE_BROKEN],
	       count[RACE_SKIP], count[RACE_VACUOUS]);
}

const struct race_out race_text = {
	.begin = text_begin,
	.start = text_start,
	.show = text_show,
	.end = text_end,
};

/* --- TAP ---------------------------------------------------------------- */

static void tap_begin(size_t n)
{
	number = 0;
	printf("TAP version 13\n1..%zu\n", n);
}

static void tap_start(const struct race_result *r)
{
	printf("# %s: %s; seed %#" PRIx64 "\n", r->race->name, r->race->summary,
	       r->seed);
}

static void tap_show(const struct race_result *r)
{
	bool good = r->end == RACE_PASS || r->end == RACE_SKIP;

	if (r->shared->search.rounds) {
		summary("#    ", r);
		printf("#    %.0f rounds a second\n", rate(r));
	}
	if (!good)
		printf("# %s: %s\n", race_end_name(r->end), r->reason);
	printf("%s %d %s", good ? "ok" : "not ok", ++number, r->race->name);
	if (r->end == RACE_SKIP)
		printf(" # SKIP %s", r->reason);
	putchar('\n');
}

static void tap_end(const int *count, int status)
{
	(void)status;
	printf("# Totals: pass:%d fail:%d error:%d skip:%d\n", count[RACE_PASS],
	       count[RACE_FAIL] + count[RACE_VACUOUS], count[RACE_BROKEN],
	       count[RACE_SKIP]);
}

const struct race_out race_tap = {
	.begin = tap_begin,
	.start = tap_start,
	.show = tap_show,
	.end = tap_end,
};
