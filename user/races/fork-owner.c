// SPDX-License-Identifier: GPL-2.0
/*
 * A thread of the owner forks while another ends the process: the child, if there
 * is one, inherits the control file and the gate, keeps neither the owner alive
 * nor the gate closed, and is held for no longer than the owner lives.
 * copy_process() makes no child once a signal is pending (do_group_exit() has
 * sent SIGKILL).
 */
#include <pthread.h>
#include <sys/wait.h>

#include "device.h"

enum { FORKER, OWNER };
enum { FORKED, TOO_LATE };

struct look {
	int born; /* the pid */
	bool read;
	struct undead_counters counters;
};

static int gate;

static void *forker(void *arg)
{
	const struct undead_counters none = { 0 };
	struct round *r = arg;
	struct look *l = race_data(r);
	pid_t owner = getpid();
	char byte;

	race_start(r, FORKER);
	if (race_fork(r, NO_SIDE))
		return NULL;
	__atomic_store_n(&l->born, getpid(), __ATOMIC_RELEASE);
	l->read = !read(gate, &byte, 1);
	race_await_owner(owner);
	l->counters = race_adds_up(r, gate, &none, 2);
	_exit(0);
}

static void prepare(struct round *r)
{
	pthread_t t;

	if (race_fork(r, OWNER))
		return;
	gate = race_gate(r, race_device(r), LONG_MS);
	if (pthread_create(&t, NULL, forker, r))
		race_broken(r, "cannot make a thread: %m");
	race_start(r, OWNER);
	_exit(0);
}

static void settled(struct round *r, int side)
{
	const struct look *l = race_data(r);

	if (side == OWNER)
		race_settled(r, side);
	else
		race_until(r, &l->born);
}

/* We adopt the child, and know of it by waiting only. */
static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int owner = race_reap(race_pid(r, OWNER)), status = 0;
	pid_t child = waitpid(-1, &status, 0);

	race_took(r, child > 0 ? FORKED : TOO_LATE);
	race_check(r, !owner && waitpid(-1, NULL, WNOHANG) < 0,
		   "the owner ends with 0, got %d, and has one child", owner);
	if (child > 0)
		race_check(r,
			   !status && l->born == child && l->read &&
				   l->counters.released[UNDEAD_REASON_OWNER] ==
					   l->counters.admitted,
			   "undead_owner_end(): the child passes, or is let go by the owner's end; status %d, admitted %llu, let go by it %llu",
			   status, l->counters.admitted,
			   l->counters.released[UNDEAD_REASON_OWNER]);
	while (race_told())
		;
}

RACE(fork_owner) = {
	.name = "fork-owner",
	.summary = "the owner of a gate forks while it ends",
	.needs = NEED_DEVICE,
	.outcomes = { "forked", "too-late" },
	.sides = { { "forker", NULL }, { "owner", NULL } },
	.forced = { [FORKED] = GOES_FIRST(FORKER), [TOO_LATE] = GOES_FIRST(OWNER) },
	.prepare = prepare,
	.settled = settled,
	.finish = finish,
};
