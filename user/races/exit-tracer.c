// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer reaps its tracee, a zombie, while the parent of that exits. The
 * tracer's wait hands the zombie over to whoever is the parent then:
 * wait_task_zombie() goes by EXIT_TRACE, never by EXIT_DEAD, so that no parent
 * sees a child that is dead and not to be reaped: commit abd50b39e783 ("wait:
 * introduce EXIT_TRACE to avoid the racy EXIT_DEAD->EXIT_ZOMBIE transition").
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../race.h"

enum { TRACER, PARENT };
enum { TRACER_FIRST, PARENT_FIRST, TOGETHER };

struct look {
	pid_t child;
	bool parent_was_gone; /* seen by the tracer, before it reaps */
	bool was_handed_over; /* seen by the parent, before it exits */
};

/* P, with the child C that ends when it is told to. */
static void parent(struct round *r, int die, int up)
{
	struct look *l = race_data(r);
	siginfo_t si = { 0 };
	pid_t c = race_fork(r, NO_SIDE);
	char byte;

	if (!c)
		_exit(read(die, &byte, 1) == 1 ? 7 : 1);
	if (write(up, &c, sizeof(c)) != sizeof(c))
		_exit(1);
	race_long_exit(r, TOGETHER);
	race_start(r, PARENT);
	waitid(P_PID, (id_t)c, &si, WEXITED | WNOWAIT | WNOHANG);
	l->was_handed_over = si.si_pid == c;
	_exit(3);
}

static void tracer(struct round *r, int die, pid_t c)
{
	struct look *l = race_data(r);
	int parent_fd = pidfd_of(race_pid(r, PARENT), 0);
	siginfo_t si = { 0 };

	if (parent_fd < 0 || ptrace(PTRACE_SEIZE, c, NULL, NULL) ||
	    write(die, "x", 1) != 1 ||
	    waitid(P_PID, (id_t)c, &si, WEXITED | WNOWAIT))
		race_broken(r, "the tracer cannot trace the child: %m");
	race_start(r, TRACER);
	l->parent_was_gone = await_readable(parent_fd, 0);
	_exit(race_reap(c) == 7 << 8 ? 5 : 1);
}

static void prepare(struct round *r)
{
	struct look *l = race_data(r);
	int die[2], up[2];

	if (pipe2(die, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		race_broken(r, "cannot make a pipe: %m");
	if (!race_clone(r, PARENT, 0))
		parent(r, die[0], up[1]);
	if (read(up[0], &l->child, sizeof(l->child)) != sizeof(l->child))
		race_broken(r, "the parent has no child");
	if (!race_clone(r, TRACER, 0))
		tracer(r, die[1], l->child);
	for (int i = 0; i < 2; i++) {
		close(die[i]);
		close(up[i]);
	}
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int p = race_reap(race_pid(r, PARENT));
	int x = race_reap(race_pid(r, TRACER));
	int c = race_reap(l->child), again = race_reap(l->child);
	pid_t told = race_told();

	race_check(r, p == 3 << 8 && x == 5 << 8 && c == 7 << 8 && again < 0,
		   "wait_task_zombie(): the tracer reaps, and then the new parent; parent %d, tracer %d, child %d, then %d",
		   p, x, c, again);
	race_check(r, told == l->child && !race_told(),
		   "do_notify_parent(): one SIGCHLD to the new parent; it is of %d, expected %d",
		   told, l->child);
	if (l->was_handed_over)
		race_took(r, TRACER_FIRST);
	else if (l->parent_was_gone)
		race_took(r, PARENT_FIRST);
	else
		race_took(r, TOGETHER);
}

RACE(exit_tracer) = {
	.name = "exit-tracer",
	.summary = "a tracer reaps a child while its parent exits",
	.outcomes = { "tracer-first", "parent-first", "at-once" },
	.sides = { { "tracer", NULL }, { "parent", NULL } },
	.forced = { [TRACER_FIRST] = GOES_FIRST(TRACER),
		    [PARENT_FIRST] = GOES_FIRST(PARENT) },
	.setup = race_setup_long_exit,
	.prepare = prepare,
	.finish = finish,
};
