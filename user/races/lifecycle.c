// SPDX-License-Identifier: GPL-2.0
/*
 * The pattern that taught us: many add to something, one shuts it down, and a
 * test lets them go together. An item that was accepted must be drained.
 *
 * lifecycle-vacuous is that test as one writes it first: who opens the gate for
 * the adders shuts down with its next breath, and wins every time. All adds take
 * the branch "closed", the test is green, and has never met the race.
 *
 * lifecycle is the cure: let the adders go, wait a little, shut down; often; and
 * count that both branches were taken. How little, the search finds out.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../race.h"

enum { SHUTDOWN, ADDER };
enum { ADDED, CLOSED };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool closed;
static volatile int items;
static int drained;
static atomic_int added, refused;
static atomic_bool gate;

static void prepare(struct round *r)
{
	(void)r;
	closed = false;
	items = 0;
	drained = 0;
	atomic_store(&added, 0);
	atomic_store(&refused, 0);
	atomic_store(&gate, false);
}

static void adder(struct round *r, int side)
{
	bool locked = !race_planted("unlocked-counter"), was_closed;
	int n;

	(void)side;
	if (locked)
		pthread_mutex_lock(&lock);
	n = items;
	was_closed = closed;
	if (!locked)
		race_work();
	if (!was_closed)
		items = n + 1;
	if (locked)
		pthread_mutex_unlock(&lock);
	race_took(r, was_closed ? CLOSED : ADDED);
	atomic_fetch_add(was_closed ? &refused : &added, 1);
}

static void shut_down(struct round *r, int side)
{
	(void)r;
	(void)side;
	pthread_mutex_lock(&lock);
	closed = true;
	drained = items;
	pthread_mutex_unlock(&lock);
}

static void finish(struct round *r)
{
	int all = race_count(r->race, ADDER);

	race_check(r, added == drained && items == drained,
		   "%d were added, %d drained, %d are in it: lost, or added after the end",
		   added, drained, items);
	race_check(r, added + refused == all,
		   "%d added and %d refused of %d: one is missing", added,
		   refused, all);
}

RACE(lifecycle) = {
	.name = "lifecycle",
	.summary =
		"two add, one shuts down a little later: both branches are met",
	.outcomes = { "added", "closed" },
	.sides = { { "shutdown", shut_down, 1 }, { "adder", adder, 2 } },
	.forced = { [ADDED] = GOES_FIRST(ADDER), [CLOSED] = GOES_FIRST(SHUTDOWN) },
	.prepare = prepare,
	.finish = finish,
};

/* --- as one writes it first --------------------------------------------- */

static void open_and_shut_down(struct round *r, int side)
{
	atomic_store(&gate, true);
	shut_down(r, side);
}

static void late_adder(struct round *r, int side)
{
	while (!atomic_load(&gate))
		sched_yield();
	adder(r, side);
}

RACE(lifecycle_vacuous) = {
	.name = "lifecycle-vacuous",
	.summary =
		"the same as one writes it first: green, and the race was never met",
	.by_name = true,
	.fixed = true,
	.outcomes = { "added", "closed" },
	.sides = { { "shutdown", open_and_shut_down, 1 },
		   { "adder", late_adder, 2 } },
	.prepare = prepare,
	.finish = finish,
};
