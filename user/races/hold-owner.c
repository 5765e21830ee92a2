// SPDX-License-Identifier: GPL-2.0
/*
 * A thread comes to a gate while the owner of the gate ends: it is admitted and
 * then let go by the owner's end, or passes. undead_owner_end() opens the gates
 * under the lock under which admit() looks.
 */
#include <sys/wait.h>

#include "device.h"

enum { HOLDER, OWNER };
enum { ADMITTED, PASSED };

struct look {
	struct undead_counters counters;
	int result;
	int read;
};

/* Of the owner, and of the holder that it forks. */
static int gate;

static void holder(struct round *r, int ctl, pid_t owner)
{
	const struct undead_counters none = { 0 };
	struct look *l = race_data(r);
	char byte;

	close(ctl);
	race_start(r, HOLDER);
	l->read = !read(gate, &byte, 1);
	race_await_owner(owner);
	l->counters = race_adds_up(r, gate, &none, 2);
	_exit(0);
}

static void prepare(struct round *r)
{
	pid_t me;
	int ctl;

	if (race_fork(r, OWNER))
		return;
	ctl = race_device(r);
	gate = race_gate(r, ctl, LONG_MS);
	me = getpid();
	if (!race_fork(r, HOLDER))
		holder(r, ctl, me);
	race_start(r, OWNER);
	_exit(0);
}

static void settled(struct round *r, int side)
{
	if (side == OWNER)
		race_settled(r, side);
	else
		dev_await(gate, 1, LONG_MS);
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int owner = race_reap(race_pid(r, OWNER));
	int held = race_reap(race_pid(r, HOLDER));

	race_check(r, !owner && !held && l->read,
		   "undead_owner_end(): the read returns 0; owner %d, holder %d",
		   owner, held);
	race_check(r,
		   l->counters.released[UNDEAD_REASON_OWNER] ==
			   l->counters.admitted,
		   "undead_owner_end(): of %llu admitted, %llu were let go by the owner's end",
		   l->counters.admitted,
		   l->counters.released[UNDEAD_REASON_OWNER]);
	race_took(r, l->counters.admitted ? ADMITTED : PASSED);
	while (race_told())
		;
}

RACE(hold_owner) = {
	.name = "hold-owner",
	.summary = "a thread comes to a gate while the owner of that ends",
	.needs = NEED_DEVICE,
	.outcomes = { "admitted", "passed" },
	.sides = { { "holder", NULL }, { "owner", NULL } },
	.forced = { [ADMITTED] = GOES_FIRST(HOLDER), [PASSED] = GOES_FIRST(OWNER) },
	.prepare = prepare,
	.settled = settled,
	.finish = finish,
};
