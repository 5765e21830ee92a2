// SPDX-License-Identifier: GPL-2.0
/*
 * A thread is dead and its tracer has not waited for it yet. Then its process ends:
 * from now on its wait status is that of the process, though it was told otherwise.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/pidfd.h"
#include "../scenario.h"

#define LOOK (WEXITED | WNOWAIT | (int)__WALL)

/* The exit code of a thread, by its pidfd. */
static void expect_told(int pidfd)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	if (pidfd < 0 || pidfd_details(pidfd, &d) ||
	    !(d.mask & PIDFD_INFO_EXIT_BIT))
		note("no exit code by PIDFD_THREAD here (6.15 has it)");
	else
		expect_equal(d.exit_code, 5 << 8,
			     "exit code of T by PIDFD_GET_INFO",
			     "pidfs_exit(): the thread's own code");
}

static void play(void)
{
	/* Until 5.17 WNOWAIT took the task's own code, see exit-code-group. */
	int looked = kernel_before(5, 17) ? 5 : 7;
	struct actor *p, *x;
	struct thread *t;
	int pidfd;

	step("T, a thread of P, is traced by X and ends by SYS_exit(5)");
	p = spawn("P");
	x = spawn("X");
	t = thread(p, "T");
	pidfd = pidfd_of(t->tid, PIDFD_THREAD);
	trace(leader(x), PTRACE_SEIZE, t, 0);
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): traced, no autoreap");
	expect_wait(leader(x), t->tid, LOOK, WAITED(t->tid, CLD_EXITED, 5),
		    "wait_task_zombie(): its own code");

	step("P ends by exit_group(7): now T, dead all the while, has 7");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_wait(leader(x), t->tid, LOOK, WAITED(t->tid, CLD_EXITED, looked),
		    "wait_task_zombie(): SIGNAL_GROUP_EXIT, the group's code");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_wait(leader(x), t->tid, WEXITED | (int)__WALL,
		    WAITED(t->tid, CLD_EXITED, 7),
		    "wait_task_zombie(): SIGNAL_GROUP_EXIT, the group's code");
	expect_gone(t, "wait_task_zombie(): release_task()");
	expect_told(pidfd);
	expect_death(p, 7 << 8, "release_task(T): zap_leader");
}

static const char *const watches[] = {
	"907c311f37ba (\"exit: Fix the exit_code for wait_task_zombie\")", NULL
};

SCENARIO(wait_thread_code) = {
	.name = "wait-traced-thread-code",
	.summary =
		"known divergence: the wait status of a dead traced thread changes when its process ends",
	.rows = "WZ2 WZ3.1",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = play,
};
