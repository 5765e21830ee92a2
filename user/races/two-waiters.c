// SPDX-License-Identifier: GPL-2.0
/* Two threads wait for one child that ends: one reaps it, the other is told so. */
#include <errno.h>
#include <sys/wait.h>

#include "../race.h"

enum { FIRST, SECOND, CHILD };

struct look {
	int result[2]; /* wait status, or -errno */
};

/* The bug of a kernel without the cmpxchg(): look, and then take. */
static int reap(pid_t child)
{
	siginfo_t si = { 0 };

	if (race_planted("reaped-twice")) {
		if (waitid(P_PID, (id_t)child, &si, WEXITED | WNOWAIT))
			return -errno;
		race_reap(child);
		return si.si_status << 8;
	}
	return race_reap(child);
}

static void wait_for_it(struct round *r, int side)
{
	struct look *l = race_data(r);

	l->result[side] = reap(race_pid(r, CHILD));
	if (l->result[side] >= 0)
		race_took(r, side);
}

static void prepare(struct round *r)
{
	if (race_fork(r, CHILD))
		return;
	race_start(r, CHILD);
	_exit(7);
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	pid_t child = race_pid(r, CHILD);
	int winner = l->result[FIRST] < 0 ? SECOND : FIRST;

	race_check(r,
		   l->result[winner] == 7 << 8 && l->result[!winner] == -ECHILD,
		   "wait_task_zombie(): one cmpxchg() of exit_state wins; the threads got %d and %d, expected %d and %d",
		   l->result[FIRST], l->result[SECOND], 7 << 8, -ECHILD);
	race_check(r, race_told() == child && !race_told(),
		   "do_notify_parent(): one SIGCHLD, of child %d", child);
}

RACE(two_waiters) = {
	.name = "two-waiters",
	.summary = "two threads wait for one child: one of them reaps it",
	.outcomes = { "first", "second" },
	.sides = { { "first", wait_for_it },
		   { "second", wait_for_it },
		   { "child", NULL } },
	.prepare = prepare,
	.finish = finish,
};
