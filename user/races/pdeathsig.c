// SPDX-License-Identifier: GPL-2.0
/*
 * A child asks for a signal at its parent's death while the parent exits. If the
 * child looks at getppid() after prctl(), as it should, it knows: the signal
 * comes, or getppid() tells that it is too late; never neither, for both sides
 * go by real_parent, which changes before forget_original_parent() sends it.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "../race.h"

enum { CHILD, PARENT };
enum { SIGNALLED, TOO_LATE };

struct look {
	pid_t before, after;
	bool signalled;
};

static void child(struct round *r, pid_t parent)
{
	const struct timespec now = { 0 };
	struct look *l = race_data(r);
	sigset_t death, look;

	l->before = parent;
	sigemptyset(&death);
	sigaddset(&death, SIGRTMIN);
	sigemptyset(&look);
	sigaddset(&look, SIGUSR1);
	sigprocmask(SIG_BLOCK, &death, NULL);
	sigprocmask(SIG_BLOCK, &look, NULL);
	race_start(r, CHILD);
	prctl(PR_SET_PDEATHSIG, SIGRTMIN);
	l->after = getppid();
	/* When the parent is gone we are told to look. */
	sigwaitinfo(&look, NULL);
	l->signalled = sigtimedwait(&death, NULL, &now) > 0;
	_exit(7);
}

static void prepare(struct round *r)
{
	pid_t me;

	if (race_clone(r, PARENT, 0))
		return;
	me = getpid();
	if (!race_clone(r, CHILD, SIGCHLD))
		child(r, me);
	race_start(r, PARENT);
	_exit(3);
}

/* SIGUSR1 is blocked by the child before it starts, so it is not lost. */
static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int p = race_reap(race_pid(r, PARENT)), c;

	kill(race_pid(r, CHILD), SIGUSR1);
	c = race_reap(race_pid(r, CHILD));
	race_check(r, p == 3 << 8 && c == 7 << 8,
		   "both are reaped: parent %d, child %d", p, c);
	race_check(r, l->signalled || l->after != l->before,
		   "forget_original_parent(): no signal came, and getppid() after prctl() was still %d",
		   l->before);
	race_took(r, l->signalled ? SIGNALLED : TOO_LATE);
	while (race_told())
		;
}

static void settled(struct round *r, int side)
{
	const struct look *l = race_data(r);

	if (side == CHILD)
		race_until(r, &l->after);
	else
		race_settled(r, side);
}

RACE(pdeathsig) = {
	.name = "pdeathsig",
	.summary = "PR_SET_PDEATHSIG while the parent exits",
	.outcomes = { "signalled", "too-late" },
	.sides = { { "child", NULL }, { "parent", NULL } },
	.forced = { [SIGNALLED] = GOES_FIRST(CHILD),
		    [TOO_LATE] = GOES_FIRST(PARENT) },
	.settled = settled,
	.prepare = prepare,
	.finish = finish,
};
