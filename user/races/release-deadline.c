// SPDX-License-Identifier: GPL-2.0
/*
 * A thread is released by its tid while the deadline of its gate passes: it is
 * let go once, by the one or by the other, and whoever comes late is told ESRCH.
 * Both go through let_go() under undead_lock.
 */
#include <errno.h>

#include "device.h"

#define SHORT_MS 1

enum { RELEASER, HOLDER };
enum { RELEASED, DEADLINE };

static int gate;
static struct undead_counters before;
static int64_t result;
static atomic_int tid;
static bool returned;

static void setup(struct round *r)
{
	gate = race_gate(r, race_device(r), SHORT_MS);
}

static void prepare(struct round *r)
{
	if (dev_rearm(gate) || dev_counters(gate, &before))
		race_broken(r, "cannot close the gate again: %m");
	atomic_store(&tid, 0);
	returned = false;
}

static void holder(struct round *r, int side)
{
	char byte;

	(void)r;
	(void)side;
	atomic_store(&tid, gettid());
	returned = !read(gate, &byte, 1);
}

/* Not before it is held; when it is so no more the gate is open: ECANCELED. */
static void releaser(struct round *r, int side)
{
	(void)side;
	dev_await(gate, 1, LONG_MS);
	result = dev_release(gate, UNDEAD_RELEASE_TID, (uint64_t)tid);
	race_took(r, result == 1 ? RELEASED : DEADLINE);
}

static void finish(struct round *r)
{
	struct undead_counters c = race_adds_up(r, gate, &before, 1);
	unsigned int by = result == 1 ? UNDEAD_REASON_REQUEST :
					UNDEAD_REASON_DEADLINE;

	race_check(r, returned && (result == 1 || result == -ESRCH),
		   "release_one(): 1, or ESRCH; got %lld, the read %s",
		   (long long)result, returned ? "returned" : "failed");
	race_check(r, c.admitted == 1 && c.released[by] == 1,
		   "let_go(): once, by %s; admitted %llu, by request %llu, by deadline %llu",
		   result == 1 ? "request" : "deadline", c.admitted,
		   c.released[UNDEAD_REASON_REQUEST],
		   c.released[UNDEAD_REASON_DEADLINE]);
}

RACE(release_deadline) = {
	.name = "release-deadline",
	.summary = "a thread is released while the deadline of its gate passes",
	.needs = NEED_DEVICE,
	.outcomes = { "released", "deadline" },
	.sides = { { "releaser", releaser, 1 }, { "holder", holder, 1 } },
	.forced = { [DEADLINE] = GOES_FIRST(HOLDER) },
	.setup = setup,
	.prepare = prepare,
	.finish = finish,
};
