// SPDX-License-Identifier: GPL-2.0
/*
 * What else the last thread lets go of: the end of a pipe, the breakpoints that a
 * tracer has set. A zombie has neither.
 */
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

/* --- a pipe ------------------------------------------------------------- */

/* Returns its end for reading; the other one is this process's alone. */
static int64_t order_pipe(const struct order *o)
{
	int ends[2];

	(void)o;
	return pipe(ends) < 0 ? -errno : ends[0];
}

static void pipe_end(void)
{
	struct actor *p;
	struct thread *t;
	int64_t end;
	int ours;

	step("P can write to a pipe, that we read; its leader ends");
	p = spawn("P");
	t = thread(p, "T");
	end = ask(leader(p), order_pipe, 0, 0);
	ours = end < 0 ? -1 :
			 (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)end, 0);
	if (ours < 0)
		broken("no pipe: %m");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_no_wakeup(ours, "the pipe",
			 "exit_files(): T has the files, too");

	step("T ends, and P is a zombie: nobody can write any more");
	exit_thread(t, 3);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_wakeup(ours, "the pipe",
		      "do_exit(): exit_files(), fput() by exit_task_work()");
	expect_death(p, 3 << 8, "synchronize_group_exit()");
	close(ours);
}

SCENARIO(exit_files) = {
	.name = "exit-files",
	.summary =
		"a pipe hangs up when the last thread of who could write ends, zombie or not",
	.needs = NEED_ROOT,
	.play = pipe_end,
};

/* --- breakpoints -------------------------------------------------------- */

#ifdef __x86_64__

#define REGISTERS 4

static long watched[REGISTERS];

/* The debug register arg[0] of the tracee arg[1]. */
static int64_t order_break(const struct order *o)
{
	size_t reg = offsetof(struct user, u_debugreg) +
		     (size_t)o->arg[0] * sizeof(long);

	return ptrace(PTRACE_POKEUSER, (pid_t)o->arg[1], reg,
		      &watched[o->arg[0]]) < 0 ?
		       -errno :
		       0;
}

/* A breakpoint of CPU 0, which has so many in all. Return: 0 or -errno. */
static int one_of_the_cpu(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uint64_t)(uintptr_t)watched,
		.bp_len = HW_BREAKPOINT_LEN_4,
		.exclude_kernel = 1,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0,
					      -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

static void breakpoints(void)
{
	struct actor *x, *c;
	int err = one_of_the_cpu();

	if (err)
		skip("no breakpoint is to be had of CPU 0: %s", strerror(-err));
	step("X traces C, its child, and sets all its debug registers");
	x = spawn("X");
	c = spawn_by(x, "C");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	trace(leader(x), PTRACE_INTERRUPT, leader(c), 0);
	expect_wait(leader(x), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED,
			   SIGTRAP | PTRACE_EVENT_STOP << 8),
		    "ptrace_request(): JOBCTL_TRAP_STOP");
	for (int i = 0; i < REGISTERS; i++)
		expect_equal(ask(leader(x), order_break, i, c->pid), 0,
			     "PTRACE_POKEUSER", "ptrace_set_breakpoint_addr()");
	expect_equal(one_of_the_cpu(), -ENOSPC, "perf_event_open() of another",
		     "reserve_bp_slot()");

	step("C is killed, and a zombie");
	send_signal(c, SIGKILL);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(one_of_the_cpu(), 0, "perf_event_open() of another",
		     "do_exit(): flush_ptrace_hw_breakpoint()");
}

#else

static void breakpoints(void)
{
	skip("for x86-64");
}

#endif

SCENARIO(exit_breakpoints) = {
	.name = "exit-breakpoints",
	.summary =
		"the breakpoints of a tracee are free again when it is a zombie",
	.needs = NEED_ROOT,
	.play = breakpoints,
};
