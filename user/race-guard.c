// SPDX-License-Identifier: GPL-2.0
/*
 * The guardian of races: forks a runner for each, sees to it that it gets on,
 * ends it and all it has made, and says what came of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/actor.h"
#include "core/await.h"
#include "core/out.h"
#include "race-engine.h"
#include "runner.h"

#define TICK_MS     100
#define PROGRESS_MS 2000

const char *race_end_name(enum race_end end)
{
	static const char *const names[RACE_ENDS] = {
		[RACE_PASS] = "PASS",       [RACE_FAIL] = "FAIL",
		[RACE_BROKEN] = "BROKEN",   [RACE_SKIP] = "SKIP",
		[RACE_VACUOUS] = "VACUOUS",
	};

	return names[end];
}

/* --- while it runs ------------------------------------------------------ */

struct guard {
	struct race_result r;
	struct race_shared *s;
	int life;
	pid_t runner;
	int pidfd;
	int64_t start, shown;
};

static void append(struct race_result *r, const char *fmt, ...) __printf(2, 3);

static void append(struct race_result *r, const char *fmt, ...)
{
	size_t n = strlen(r->reason);
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->reason + n, sizeof(r->reason) - n, fmt, args);
	va_end(args);
}

/* What says how to meet it again. */
static void where(struct guard *g)
{
	struct race_shared *s = g->s;

	if (s->first >= 0)
		append(&g->r,
		       "forced order, '%s' first, of seed %#" PRIx64 ": ",
		       g->r.race->sides[s->first].name, g->r.seed);
	else
		append(&g->r,
		       "round %" PRIu64 " of seed %#" PRIx64 ", delay %" PRId64
		       " ns: ",
		       s->search.rounds, g->r.seed, s->delay);
}

static void does_not_end(struct guard *g)
{
	const struct race *race = g->r.race;

	g->r.end = RACE_FAIL;
	where(g);
	append(&g->r, "it does not end within %d s (a lost wake-up?):",
	       AWAIT_MS / 1000);
	for (int i = 0; i < race_sides(race); i++)
		append(&g->r, "%s '%s' has %s", i ? "," : "",
		       race->sides[i].name,
		       g->s->side[i].ended   ? "returned" :
		       g->s->side[i].started ? "begun" :
					       "not begun");
}

/* On a terminal only, and only what takes its time. */
static void progress(struct guard *g)
{
	const struct search *search = &g->s->search;
	int64_t now = now_ms();

	if (!isatty(STDERR_FILENO) || now - g->start < PROGRESS_MS ||
	    now - g->shown < 1000)
		return;
	g->shown = now;
	fprintf(stderr,
		"\r\033[K%s: %" PRId64 " s of %" PRId64 ", %" PRIu64 " rounds",
		g->r.race->name, (now - g->start) / 1000,
		g->s->budget_ms / 1000, search->rounds);
	for (int o = 0; o < search->outcomes; o++)
		fprintf(stderr, ", %s %" PRIu64, g->r.race->outcomes[o],
			search->met[o]);
}

static void watch(struct guard *g)
{
	unsigned long turns = 0;
	int64_t moved = now_ms();

	while (!await_readable(g->pidfd, TICK_MS) && !g->s->over) {
		unsigned long t = atomic_load(&g->s->turns);

		progress(g);
		if (t != turns) {
			turns = t;
			moved = now_ms();
		} else if (now_ms() - moved > AWAIT_MS) {
			does_not_end(g);
			return;
		}
	}
	if (g->shown)
		fputs("\r\033[K", stderr);
}

/* --- how it ends -------------------------------------------------------- */

static bool nobody_left(void *arg)
{
	pid_t pid;

	(void)arg;
	do
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

/* The runner, and with the lifeline whatever it has made: we adopt them. */
static void end_all(struct guard *g)
{
	siginfo_t si = { 0 };

	bool is_ending = g->r.end == RACE_PASS && g->s->end == RACE_PASS;

	if (!await_readable(g->pidfd, is_ending ? AWAIT_MS : 0))
		kill(g->runner, SIGKILL);
	close(g->life);
	if (await_readable(g->pidfd, AWAIT_MS))
		waitid(P_PID, (id_t)g->runner, &si, WEXITED);
	if (!g->s->over && g->r.end == RACE_PASS) {
		g->r.end = RACE_BROKEN;
		where(g);
		append(&g->r, "the runner died (%s %d)",
		       si.si_code == CLD_EXITED ? "status" : "signal",
		       si.si_status);
	}
	if (!await_true(nobody_left, NULL, AWAIT_MS)) {
		if (g->r.end != RACE_FAIL)
			g->r.end = RACE_BROKEN;
		append(&g->r,
		       "; its processes would not end, see 'undead status'");
	}
}

static void judge(struct guard *g)
{
	const struct search *search = &g->s->search;
	int o = search_unproved(search);

	if (g->r.end == RACE_PASS && g->s->over) {
		g->r.end = g->s->end;
		if (g->r.end == RACE_FAIL)
			where(g);
		append(&g->r, "%s", g->s->reason);
	}
	if (g->r.end != RACE_PASS || search_proved(search))
		return;
	g->r.end = RACE_VACUOUS;
	append(&g->r,
	       "'%s' was met in %" PRIu64 " of %" PRIu64
	       " free rounds within %.1f s: nothing is proved (it takes %d, and %d %%)",
	       g->r.race->outcomes[o], search->met[o], search->rounds,
	       (double)g->s->free_ms / 1000, PROOF_ROUNDS, 100 / PROOF_SHARE);
}

/* --- one race ----------------------------------------------------------- */

static int share(struct guard *g, const struct race_options *options)
{
	void *map = mmap(NULL, sizeof(*g->s), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return -errno;
	g->s = map;
	g->r.shared = map;
	g->s->budget_ms = options->budget_ms;
	g->s->full = options->full;
	g->s->pin = options->pin;
	search_begin(&g->s->search, race_outcomes(g->r.race), g->r.race->fixed,
		     g->r.seed);
	return 0;
}

static int start(struct guard *g)
{
	g->life = lifeline_open(&g->s->life);
	if (g->life < 0)
		return g->life;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	g->runner = fork();
	if (g->runner < 0)
		return -errno;
	if (!g->runner) {
		close(g->life);
		race_runner(g->r.race, g->s);
	}
	close(g->s->life);
	g->pidfd = pidfd_of(g->runner, 0);
	return g->pidfd < 0 ? g->pidfd : 0;
}

static void race_one(struct guard *g, const struct race_options *options)
{
	const char *why = needs_unmet(g->r.race->needs);
	int err;

	g->start = now_ms();
	err = share(g, options);
	if (!err && why) {
		g->r.end = RACE_SKIP;
		append(&g->r, "%s", why);
		return;
	}
	if (!err)
		err = start(g);
	if (err) {
		g->r.end = RACE_BROKEN;
		append(&g->r, "cannot start the runner: %s", strerror(-err));
		return;
	}
	watch(g);
	end_all(g);
	close(g->pidfd);
	judge(g);
	g->r.ms = now_ms() - g->start;
}

static int status_of(const int *count)
{
	if (count[RACE_FAIL])
		return STATUS_FAILED;
	if (count[RACE_BROKEN])
		return STATUS_BROKEN;
	if (count[RACE_VACUOUS])
		return STATUS_VACUOUS;
	return count[RACE_PASS] ? STATUS_PASSED : STATUS_SKIPPED;
}

int race_all(const struct race *const *list, size_t n,
	     const struct race_out *out, const struct race_options *options)
{
	size_t all = n * (size_t)options->repeat;
	int count[RACE_ENDS] = { 0 };
	int status;

	out->begin(all);
	for (size_t i = 0; i < all; i++) {
		struct guard g = {
			.r = {
				.race = list[i % n],
				.seed = options->seed + i / n,
			},
		};

		if (out->start)
			out->start(&g.r);
		race_one(&g, options);
		count[g.r.end]++;
		if (g.s) {
			out->show(&g.r);
			race_svg_add(&g.r);
			munmap(g.s, sizeof(*g.s));
		}
		fflush(stdout);
	}
	status = status_of(count);
	out->end(count, status);
	return status;
}
