// SPDX-License-Identifier: GPL-2.0
/*
 * Who adopts an orphan: another thread of its parent, else the nearest living
 * subreaper, else init. The runner H is a subreaper above all of them.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

static pid_t ppid(struct actor *c)
{
	struct proc_status st;

	if (proc_status(c->pid, 0, &st))
		broken("%s %d is gone", c->name, c->pid);
	return st.ppid;
}

static void subreaper(struct actor *s, bool on)
{
	expect_equal(ask(leader(s), order_prctl, PR_SET_CHILD_SUBREAPER, on), 0,
		     on ? "PR_SET_CHILD_SUBREAPER" :
			  "PR_SET_CHILD_SUBREAPER, off",
		     "prctl()");
}

/* An orphan below @s: R, its parent, is @depth - 1 processes below @s. */
static struct actor *orphan_below(struct actor *s, int depth)
{
	struct actor *r = s, *c;

	for (int i = 0; i < depth; i++)
		r = spawn_by(r, "R");
	c = spawn_by(r, "C");
	send_signal(r, SIGKILL);
	if (!await_readable(r->pidfd, AWAIT_MS))
		broken("R %d does not die", r->pid);
	barrier();
	return c;
}

/* The adopter reaps it, whoever that is. */
static void expect_adopted(struct actor *c, struct actor *by, const char *why)
{
	expect_equal(ppid(c), by ? by->pid : getpid(), "PPid of the orphan C",
		     why);
	exit_group(leader(c), 7);
	if (!by) {
		expect_death(c, CODE(7),
			     "do_notify_parent(): tells the adopter");
		return;
	}
	expect_equal(ask(leader(by), order_wait, c->pid, WEXITED),
		     (int64_t)c->pid << 24 | CLD_EXITED << 16 | 7,
		     "waitid(C) in the adopter, packed",
		     "wait_task_zombie(): it is its child now");
}

static void depths(void)
{
	const char *nearest = "find_new_reaper(): the nearest subreaper above";
	struct actor *s;

	for (int depth = 1; depth <= 3; depth++) {
		step("S is a subreaper, the orphan's parent %d below it",
		     depth);
		s = spawn("S");
		subreaper(s, true);
		expect_adopted(orphan_below(s, depth), s, nearest);
	}
	step("S is none any more: the next one above adopts");
	s = spawn("S");
	subreaper(s, true);
	subreaper(s, false);
	expect_adopted(orphan_below(s, 1), NULL, nearest);
	step("and is one again, after its descendants were there");
	subreaper(s, true);
	expect_adopted(orphan_below(s, 2), s,
		       "commit 749860ce2427 (\"prctl: propagate has_child_subreaper flag to every descendant\")");
}

SCENARIO(adoption) = {
	.name = "adoption",
	.summary =
		"orphans go to the nearest subreaper: depth 1 to 3, unset, set again",
	.needs = NEED_ROOT,
	.play = depths,
};

static void dying_subreaper(void)
{
	struct actor *s, *r, *c;
	int g = gate();

	step("S, a subreaper with one thread, is held in exit_files()");
	s = spawn("S");
	subreaper(s, true);
	r = spawn_by(s, "R");
	c = spawn_by(r, "C");
	hold_in_exit(leader(s), g, IN_FILES, 5);

	step("the orphan of R does not go to S, which is dying");
	send_signal(r, SIGKILL);
	if (!await_readable(r->pidfd, AWAIT_MS))
		broken("R does not die");
	barrier();
	expect_adopted(c, NULL,
		       "find_alive_thread(): S has none without PF_EXITING");

	step("S is released; R, its zombie, is announced to the adopter");
	expect_equal(release(g), 1, "threads released", "the gate held S");
	/* R's SIGCHLD is the first; that of S is lost, one is pending. */
	expect_death(r, SIGKILL, "reparent_leader(): do_notify_parent()");
	reap(s);
	expect_gone(leader(s), "release_task(): the adopter has reaped it");
}

SCENARIO(adoption_dying) = {
	.name = "adoption-dying-subreaper",
	.summary =
		"a subreaper that is stuck in exit adopts nobody: the next one above does",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = dying_subreaper,
};

static void threaded(void)
{
	struct actor *r, *c;
	struct thread *t;

	step("C is forked by T, a thread of R; T ends");
	r = spawn("R");
	t = thread(r, "T");
	c = spawn_from(t, "C");
	exit_thread(t, 5);
	expect_gone(t, "release_task(): a thread reaps itself");
	expect_equal(ppid(c), r->pid, "PPid of C",
		     "find_new_reaper(): another thread of R is alive");

	step("C ends: R is its parent as before");
	exit_group(leader(c), 7);
	expect_equal(ask(leader(r), order_wait, c->pid, WEXITED),
		     (int64_t)c->pid << 24 | CLD_EXITED << 16 | 7,
		     "waitid(C) in the leader of R, packed",
		     "do_wait(): the children of all threads");
}

SCENARIO(adoption_thread) = {
	.name = "adoption-by-thread",
	.summary =
		"the thread that forked a child ends: the process stays its parent",
	.needs = NEED_ROOT,
	.play = threaded,
};

static bool usr1_caught(void *t)
{
	return ask(t, order_caught, SIGUSR1, 0) > 0;
}

static void ask_for_usr1(struct actor *c)
{
	ask(leader(c), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	expect_equal(ask(leader(c), order_prctl, PR_SET_PDEATHSIG, SIGUSR1), 0,
		     "PR_SET_PDEATHSIG in C", "prctl()");
}

static void parent_death(void)
{
	const char *sent = "forget_original_parent(): pdeath_signal is sent";
	struct actor *r, *c;
	struct thread *t;

	step("C asks for SIGUSR1 when its parent R dies; R is killed");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask_for_usr1(c);
	expect_equal(ask(leader(c), order_caught, SIGUSR1, 0), 0,
		     "times C caught SIGUSR1", "R is alive");
	send_signal(r, SIGKILL);
	reap(r);
	await_true(usr1_caught, leader(c), AWAIT_MS);
	expect_equal(ask(leader(c), order_caught, SIGUSR1, 0), 1,
		     "times C caught SIGUSR1", sent);

	step("the parent that counts is the thread that forked: it ends, R lives");
	r = spawn("R");
	t = thread(r, "T");
	c = spawn_from(t, "C");
	ask_for_usr1(c);
	exit_thread(t, 5);
	await_true(usr1_caught, leader(c), AWAIT_MS);
	expect_equal(ask(leader(c), order_caught, SIGUSR1, 0), 1,
		     "times C caught SIGUSR1", sent);
	expect_equal(ppid(c), r->pid, "PPid of C",
		     "find_new_reaper(): another thread of R is alive");
}

SCENARIO(pdeathsig) = {
	.name = "pdeathsig",
	.summary =
		"the parent death signal: when the process dies, and when only the thread does",
	.needs = NEED_ROOT,
	.play = parent_death,
};

static bool hup_caught(void *t)
{
	return ask(t, order_caught, SIGHUP, 0) > 0;
}

/* A job J of the session of S, in a process group of its own. */
static struct actor *job(struct actor **s)
{
	struct actor *j;

	*s = spawn("S");
	expect_equal(ask(leader(*s), order_setsid, 0, 0), 0, "setsid() in S",
		     "the adopter is in another session");
	j = spawn_by(*s, "J");
	expect_equal(ask(leader(j), order_setpgid, 0, 0), 0, "setpgid() in J",
		     "S is in the session, in another group: not orphaned");
	ask(leader(j), order_sigaction, SIGHUP, DISPOSE_CATCH);
	ask(leader(j), order_sigaction, SIGCONT, DISPOSE_CATCH);
	return j;
}

static void shell_dies(void)
{
	struct actor *s, *j;

	step("a stopped job J, its shell S is killed: SIGHUP, then SIGCONT");
	j = job(&s);
	send_signal(j, SIGSTOP);
	expect_state(leader(j), 'T', "do_signal_stop()");
	send_signal(s, SIGKILL);
	reap(s);
	await_true(hup_caught, leader(j), AWAIT_MS);
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 1,
		     "times J caught SIGHUP",
		     "kill_orphaned_pgrp(): has_stopped_jobs()");
	expect_equal(ask(leader(j), order_caught, SIGCONT, 0), 1,
		     "times J caught SIGCONT", "kill_orphaned_pgrp()");
	expect_state(leader(j), 'S', "prepare_signal(): SIGCONT woke it");

	step("a running job J, its shell S is killed: nothing");
	j = job(&s);
	send_signal(s, SIGKILL);
	reap(s);
	barrier();
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 0,
		     "times J caught SIGHUP",
		     "kill_orphaned_pgrp(): nobody is stopped");
}

SCENARIO(orphaned_group) = {
	.name = "orphaned-group",
	.summary =
		"the shell of a stopped job dies: SIGHUP and SIGCONT; of a running one: nothing",
	.needs = NEED_ROOT,
	.play = shell_dies,
};
