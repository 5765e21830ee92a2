// SPDX-License-Identifier: GPL-2.0
/*
 * A parent sets SIGCHLD to SIG_IGN while its child exits: do_notify_parent()
 * looks at the handler under siglock, so the child is reaped by itself or stays
 * a zombie that can be waited for. A wait that sleeps learns of both.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../race.h"

enum { IGNORER, CHILD };
enum { REAPED_ITSELF, ZOMBIE };

static void ignore(struct round *r, int side)
{
	(void)side;
	if (signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		race_broken(r, "SIG_IGN: %m");
}

static void prepare(struct round *r)
{
	if (race_fork(r, CHILD))
		return;
	race_start(r, CHILD);
	_exit(7);
}

/*
 * /proc shows a Z as soon as exit_notify() has set exit_state, before
 * do_notify_parent() looks at the handler; wait takes tasklist_lock, and sees
 * what is done.
 */
static void settled(struct round *r, int side)
{
	siginfo_t si;

	if (side == IGNORER)
		race_settled(r, side);
	else if (waitid(P_PID, (id_t)race_pid(r, CHILD), &si, WEXITED | WNOWAIT))
		race_broken(r, "waitid: %m");
}

static void finish(struct round *r)
{
	pid_t child = race_pid(r, CHILD);
	int status = race_reap(child);

	race_took(r, status == 7 << 8 ? ZOMBIE : REAPED_ITSELF);
	race_check(r, status == 7 << 8 || status == -ECHILD,
		   "do_notify_parent(): a zombie, or nothing to wait for; got %d",
		   status);
	/* exit_notify() wakes the parent first, and then calls release_task(). */
	race_check(r, await_gone(child, child, AWAIT_MS),
		   "release_task(): nothing is left of child %d", child);
	signal(SIGCHLD, SIG_DFL);
	race_told();
}

RACE(sigchld_ignore) = {
	.name = "sigchld-ignore",
	.summary = "SIGCHLD is set to be ignored while a child exits",
	.outcomes = { "reaped-itself", "zombie" },
	.sides = { { "ignorer", ignore }, { "child", NULL } },
	.forced = { [REAPED_ITSELF] = GOES_FIRST(IGNORER),
		    [ZOMBIE] = GOES_FIRST(CHILD) },
	.prepare = prepare,
	.settled = settled,
	.finish = finish,
};
