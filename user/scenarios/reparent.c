// SPDX-License-Identifier: GPL-2.0
/*
 * What reparenting does to a child that is half dead, or traced; and what
 * becomes of tracees when only the tracing thread ends.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

static struct proc_status status(struct thread *t)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	return st;
}

static void kill_and_reap(struct actor *r)
{
	send_signal(r, SIGKILL);
	reap(r);
}

static void not_dead(void)
{
	struct actor *r, *c;
	struct thread *t;

	step("R is killed, its child C is alive: only the parent changes");
	r = spawn("R");
	c = spawn_by(r, "C");
	kill_and_reap(r);
	expect_equal(status(leader(c)).ppid, getpid(), "PPid of C",
		     "find_new_reaper()");
	expect_no_sigchld(c, "reparent_leader(): C is alive");
	exit_group(leader(c), 2);
	expect_death(c, CODE(2), "do_notify_parent()");

	step("R is killed, the leader of its child C is dead, a thread lives");
	r = spawn("R");
	c = spawn_by(r, "C");
	t = thread(c, "T");
	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	kill_and_reap(r);
	expect_equal(status(leader(c)).ppid, getpid(), "PPid of C",
		     "find_new_reaper()");
	expect_no_sigchld(c,
			  "reparent_leader(): thread_group_empty() is false");
	expect_no_event(c, WEXITED,
			"wait_consider_task(): delay_group_leader()");

	step("that thread ends the group");
	exit_group(t, 7);
	expect_wakeup(c->pidfd, "pidfd of C", "release_task(T): zap_leader");
	expect_wait(NULL, c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): the code of the group");
}

SCENARIO(reparent_not_dead) = {
	.name = "reparent-not-dead",
	.summary =
		"a child that lives, or has a thread that does, is adopted: nobody is told yet",
	.needs = NEED_ROOT,
	.rows = "RL3.2",
	.play = not_dead,
};

static void traced(void)
{
	struct actor *r, *c, *x;

	step("X traces C, a child of R; R is killed");
	r = spawn("R");
	c = spawn_by(r, "C");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	kill_and_reap(r);
	expect_equal(status(leader(c)).ppid, getpid(), "PPid of C",
		     "forget_original_parent(): real_parent is the adopter");
	expect_equal(status(leader(c)).tracer, x->pid, "TracerPid of C",
		     "forget_original_parent(): parent stays the tracer");

	step("C ends: its tracer is told, the adopter when that has waited");
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_no_sigchld(c, "do_notify_parent(): to the tracer");
	expect_no_event(c, WEXITED, "wait_consider_task(): C is traced");
	expect_wait(leader(x), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_death(c, CODE(7), "wait_task_zombie(): do_notify_parent()");

	step("X traces C, which is a zombie when R is killed: nobody is told");
	r = spawn("R");
	c = spawn_by(r, "C");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	kill_and_reap(r);
	expect_no_sigchld(c, "reparent_leader(): C is traced");
	expect_no_event(c, WEXITED, "wait_consider_task(): C is traced");

	step("X is killed: the adopter is told of C");
	send_signal(x, SIGKILL);
	expect_wakeup(x->pidfd, "pidfd of X",
		      "exit_ptrace(), then exit_notify()");
	/* Of two at once the second SIGCHLD is lost: that of X. */
	expect_death(c, CODE(7), "__ptrace_detach(): do_notify_parent()");
}

SCENARIO(reparent_traced) = {
	.name = "reparent-traced",
	.summary =
		"a traced orphan: its parent changes, its tracer does not, and is told first",
	.needs = NEED_ROOT,
	.rows = "FP3.1 RL3.2",
	.play = traced,
};

static void tracing_thread(void)
{
	struct actor *x, *c, *d;
	struct thread *t, *u;

	step("T, a thread of X, traces C; the leader of X traces D");
	x = spawn("X");
	t = thread(x, "T");
	u = thread(x, "U");
	c = spawn("C");
	d = spawn("D");
	trace(t, PTRACE_SEIZE, leader(c), 0);
	trace(leader(x), PTRACE_SEIZE, leader(d), 0);
	expect_equal(status(leader(c)).tracer, t->tid, "TracerPid of C",
		     "ptrace_link(): the thread is the tracer");

	step("U, which traces nobody, ends");
	exit_thread(u, 9);
	expect_gone(u, "release_task()");
	expect_equal(status(leader(c)).tracer, t->tid, "TracerPid of C",
		     "forget_original_parent(): U has no tracees");

	step("T ends: C is free, D is not");
	exit_thread(t, 5);
	expect_gone(t, "release_task()");
	expect_equal(status(leader(c)).tracer, 0, "TracerPid of C",
		     "exit_ptrace(): the tracees of the thread that ends");
	expect_equal(status(leader(d)).tracer, x->pid, "TracerPid of D",
		     "exit_ptrace(): of that thread only");
	exit_group(leader(c), 7);
	expect_death(c, CODE(7), "do_notify_parent(): to its parent");
}

SCENARIO(tracing_thread_ends) = {
	.name = "tracing-thread-ends",
	.summary =
		"a tracing thread ends, its process lives: its tracees are free",
	.needs = NEED_ROOT,
	.rows = "FP1",
	.play = tracing_thread,
};
