// SPDX-License-Identifier: GPL-2.0
/*
 * A parent exits while its child does. Whichever comes first, the new parent is
 * told of the child once and reaps it once: forget_original_parent() tells of
 * those that are zombies already, exit_notify() of those that come later, and
 * both hold tasklist_lock.
 */
#include <signal.h>
#include <sys/wait.h>

#include "../race.h"

enum { PARENT, CHILD };
enum { ALIVE, DEAD, TOGETHER };

/* What each saw of the other, right before its own exit. */
struct look {
	bool child_was_adopted;
	bool child_was_dead;
};

static void child(struct round *r, pid_t parent)
{
	struct look *l = race_data(r);

	race_start(r, CHILD);
	l->child_was_adopted = getppid() != parent;
	_exit(7);
}

static void prepare(struct round *r)
{
	struct look *l = race_data(r);
	siginfo_t si = { 0 };
	pid_t me, c;

	if (race_clone(r, PARENT, 0))
		return;
	me = getpid();
	c = race_clone(r, CHILD, SIGCHLD);
	if (!c)
		child(r, me);
	race_long_exit(r, TOGETHER);
	race_start(r, PARENT);
	waitid(P_PID, (id_t)c, &si, WEXITED | WNOWAIT | WNOHANG);
	l->child_was_dead = si.si_pid == c;
	_exit(3);
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int parent = race_reap(race_pid(r, PARENT));
	pid_t c = race_pid(r, CHILD), told = 0;
	int status = race_reap(c), again = race_reap(c);

	race_check(r, parent == 3 << 8 && status == 7 << 8 && again < 0,
		   "wait_task_zombie(): the new parent reaps the child once; parent %d, child %d, then %d",
		   parent, status, again);
	told = race_told();
	race_check(r, told == c && !race_told(),
		   "do_notify_parent(): one SIGCHLD to the new parent; it is of %d, expected %d",
		   told, c);
	if (l->child_was_adopted)
		race_took(r, ALIVE);
	else if (l->child_was_dead)
		race_took(r, DEAD);
	else
		race_took(r, TOGETHER);
}

RACE(exit_parent_child) = {
	.name = "exit-parent-child",
	.summary = "a parent and its child exit: the new parent is told once",
	.outcomes = { "adopted-alive", "adopted-dead", "at-once" },
	.sides = { { "parent", NULL }, { "child", NULL } },
	.forced = { [ALIVE] = GOES_FIRST(PARENT), [DEAD] = GOES_FIRST(CHILD) },
	.setup = race_setup_long_exit,
	.prepare = prepare,
	.finish = finish,
};
