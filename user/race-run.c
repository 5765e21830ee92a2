// SPDX-License-Identifier: GPL-2.0
/*
 * The runner of one race: forced orders first, then free rounds until the proof
 * is there or the budget is spent.
 *
 * Between two rounds one thread turns the page while all others wait: it closes
 * the round (finish, what was met), chooses the next delay and sets the scene.
 * That is the last thread to arrive, so that it costs no change of context, or
 * the only one when all sides are processes.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "core/actor.h"
#include "race-engine.h"

#define BATCH_MS 20 /* about so long in one cell */
#define BATCH    64 /* rounds, at most */

static int batch_left;
static int64_t batch_from;

/* --- a round ------------------------------------------------------------ */

static void close_forced(struct round *r, unsigned int met)
{
	struct race_shared *s = r->shared;
	int wanted = s->next_forced - 1;

	s->forced_rounds[wanted]++;
	race_check(r, met >> wanted & 1,
		   "the forced order '%s' first did not lead to '%s'",
		   r->race->sides[s->first].name, r->race->outcomes[wanted]);
}

static void close_round(struct round *r)
{
	struct race_shared *s = r->shared;
	unsigned int met;

	if (r->race->finish)
		r->race->finish(r);
	met = atomic_load(&s->met);
	if (!met)
		race_check(r, false, "no side took any of the branches");
	else if (s->first >= 0)
		close_forced(r, met);
	else
		search_note(&s->search, s->cell, s->delay, met);
}

static bool next_forced(struct round *r)
{
	struct race_shared *s = r->shared;
	int n = race_outcomes(r->race);

	while (s->next_forced < n) {
		s->first = r->race->forced[s->next_forced++] - 1;
		if (s->first >= 0)
			return true;
	}
	s->first = -1;
	return false;
}

/* A batch in one cell, shorter where rounds are long. */
static void next_free(struct race_shared *s)
{
	int64_t now = now_ms();

	if (!s->free_from_ms)
		s->free_from_ms = now;
	s->free_ms = now - s->free_from_ms;
	if (batch_left-- <= 0 || now - batch_from > BATCH_MS) {
		s->cell = search_next(&s->search);
		batch_left = s->search.cells[s->cell].rounds < BATCH ? 8 :
								       BATCH;
		batch_from = now;
	}
	s->delay = search_delay(&s->search, s->cell);
}

static bool is_spent(const struct race_shared *s)
{
	if (!s->full && search_proved(&s->search))
		return true;
	return s->free_from_ms && now_ms() - s->free_from_ms >= s->budget_ms;
}

static void open_round(struct round *r)
{
	struct race_shared *s = r->shared;

	for (int i = 0; i < RACE_SIDES; i++) {
		atomic_store(&s->side[i].started, 0);
		atomic_store(&s->side[i].ended, 0);
		atomic_store(&s->side[i].pid, 0);
	}
	atomic_store(&s->met, 0);
	memset(s->data, 0, sizeof(s->data));
	if (!next_forced(r))
		next_free(s);
	if (r->race->prepare)
		r->race->prepare(r);
}

static void turn_page(struct round *r)
{
	struct race_shared *s = r->shared;

	if (s->in_round)
		close_round(r);
	atomic_fetch_add(&s->turns, 1);
	s->in_round = false;
	if (atomic_load(&s->over) || is_spent(s)) {
		if (s->free_from_ms)
			s->free_ms = now_ms() - s->free_from_ms;
		atomic_store(&s->stop, true);
		return;
	}
	open_round(r);
	s->in_round = true;
}

/* --- threads ------------------------------------------------------------ */

struct pool_thread {
	pthread_t thread;
	struct round *r;
	int side, party;
};

static void *pool(void *arg)
{
	struct pool_thread *t = arg;
	struct round *r = t->r;
	struct race_shared *s = r->shared;

	race_pin(s, t->party);
	for (;;) {
		race_meet(&s->turn, s->threads, turn_page, r);
		if (atomic_load(&s->stop))
			return NULL;
		race_start(r, t->side);
		r->race->sides[t->side].run(r, t->side);
		atomic_fetch_add(&s->side[t->side].ended, 1);
	}
}

static void run_threads(struct round *r)
{
	struct pool_thread pools[RACE_CPUS] = { 0 };
	unsigned int n = 0;

	for (int side = 0; side < race_sides(r->race); side++) {
		if (!r->race->sides[side].run)
			continue;
		for (int i = 0; i < race_count(r->race, side); i++, n++)
			pools[n] = (struct pool_thread){
				.r = r,
				.side = side,
				.party = (int)n,
			};
	}
	for (unsigned int i = 0; i < n; i++)
		if (pthread_create(&pools[i].thread, NULL, pool, &pools[i]))
			race_broken(r, "cannot make a thread: %s",
				    strerror(errno));
	for (unsigned int i = 0; i < n; i++)
		pthread_join(pools[i].thread, NULL);
}

/* --- once --------------------------------------------------------------- */

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* The quickest of some: the others were interrupted. */
static void calibrate(struct race_shared *s)
{
	const int64_t turns = 100000;
	double best = 1;

	for (int i = 0; i < 8; i++) {
		double from = now_us(), took;

		s->per_us = 1;
		race_spin(s, turns * 1000);
		took = now_us() - from;
		if (took > 0 && (double)turns / took > best)
			best = (double)turns / took;
	}
	s->per_us = best;
}

static void list_cpus(struct race_shared *s)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && s->nr_cpus < RACE_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			s->cpus[s->nr_cpus++] = cpu;
}

static void count_parties(const struct race *race, struct race_shared *s)
{
	for (int side = 0; side < race_sides(race); side++) {
		s->parties += (unsigned int)race_count(race, side);
		if (race->sides[side].run)
			s->threads += (unsigned int)race_count(race, side);
	}
}

void race_runner(const struct race *race, struct race_shared *s)
{
	struct round r = { .race = race, .shared = s };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	/* Terminal signals go to the guardian; it ends us, and all we make. */
	if (setsid() < 0 || lifeline_join_group(s->life))
		_exit(1);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	s->first = -1;
	count_parties(race, s);
	list_cpus(s);
	calibrate(s);
	if (race->setup)
		race->setup(&r);
	if (s->threads)
		run_threads(&r);
	else
		while (!atomic_load(&s->stop))
			turn_page(&r);
	race_say(s, RACE_PASS, "%s", "");
	_exit(0);
}
