// SPDX-License-Identifier: GPL-2.0
/*
 * Two release the same thread: one does, the other is told ESRCH, and the thread
 * is let go once. release_one() finds it and lets it go under one lock.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "device.h"

enum { FIRST, SECOND };

static int gate;
static struct undead_counters before;
static int64_t result[2];
static atomic_int tid;
static sem_t go, back;

/* It is held before the others start, so it is no side. */
static void *holder(void *unused)
{
	char byte;

	atomic_store(&tid, gettid());
	for (;;) {
		sem_wait(&go);
		if (read(gate, &byte, 1))
			return unused;
		sem_post(&back);
	}
}

static void setup(struct round *r)
{
	pthread_t t;

	gate = race_gate(r, race_device(r), LONG_MS);
	sem_init(&go, 0, 0);
	sem_init(&back, 0, 0);
	if (pthread_create(&t, NULL, holder, NULL))
		race_broken(r, "cannot make a thread: %m");
}

static void prepare(struct round *r)
{
	if (dev_counters(gate, &before))
		race_broken(r, "cannot read the counters: %m");
	sem_post(&go);
	if (dev_await(gate, 1, LONG_MS))
		race_broken(r, "the thread is not held");
}

static void releaser(struct round *r, int side)
{
	result[side] = dev_release(gate, UNDEAD_RELEASE_TID, (uint64_t)tid);
	if (result[side] == 1)
		race_took(r, side);
}

static void finish(struct round *r)
{
	int winner = result[FIRST] == 1 ? FIRST : SECOND;
	struct undead_counters c;

	sem_wait(&back);
	c = race_adds_up(r, gate, &before, 1);
	race_check(r, result[winner] == 1 && result[!winner] == -ESRCH,
		   "release_one(): one gets 1, the other ESRCH; got %lld and %lld",
		   (long long)result[FIRST], (long long)result[SECOND]);
	race_check(r, c.released[UNDEAD_REASON_REQUEST] == 1,
		   "let_go(): once; by request %llu times",
		   c.released[UNDEAD_REASON_REQUEST]);
}

RACE(release_twice) = {
	.name = "release-twice",
	.summary = "two release the same thread: one does",
	.needs = NEED_DEVICE,
	.outcomes = { "first", "second" },
	.sides = { { "first", releaser, 1 }, { "second", releaser, 1 } },
	.forced = { [FIRST] = GOES_FIRST(FIRST), [SECOND] = GOES_FIRST(SECOND) },
	.setup = setup,
	.prepare = prepare,
	.finish = finish,
};
