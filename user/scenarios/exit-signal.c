// SPDX-License-Identifier: GPL-2.0
/*
 * Children with another exit signal than SIGCHLD, or none: who may wait for
 * them (__WCLONE, __WALL), what the parent gets, and what becomes of it all
 * when they are adopted or the parent execs.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../scenario.h"

static int64_t dead(struct actor *c, int status)
{
	return (int64_t)c->pid << 24 | CLD_EXITED << 16 | status;
}

static void clone_child(int signal, const char *what)
{
	struct actor *r, *c;
	int64_t look = WEXITED | WNOHANG | WNOWAIT;

	step("a child with exit signal %s ends", what);
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	c = spawn_clone(r, "C", 0, signal);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z',
		     "do_notify_parent(): autoreap is for SIGCHLD");
	expect_equal(ask(leader(r), order_wait, c->pid, look), -ECHILD,
		     "waitid(C) in R",
		     "eligible_child(): its exit signal is not SIGCHLD");
	expect_equal(ask(leader(r), order_wait, c->pid, look | __WCLONE),
		     dead(c, 7), "waitid(C, __WCLONE) in R, packed",
		     "eligible_child(): __WCLONE is for such children");
	expect_caught(leader(r), SIGUSR1, !!signal,
		      "do_notify_parent(): sends exit_signal, if there is one");
	expect_caught(leader(r), SIGCHLD, 0,
		      "do_notify_parent(): exit_signal instead of it");
	expect_equal(ask(leader(r), order_wait, c->pid, WEXITED | __WALL),
		     dead(c, 7), "waitid(C, __WALL) in R, packed",
		     "eligible_child(): __WALL is for all children");
	expect_gone(leader(c), "release_task()");
}

static void play(void)
{
	struct actor *r, *c;

	clone_child(SIGUSR1, "SIGUSR1");
	clone_child(0, "0");

	step("__WCLONE does not wait for an ordinary child");
	r = spawn("R");
	c = spawn_by(r, "C");
	exit_group(leader(c), 2);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(ask(leader(r), order_wait, c->pid,
			 WEXITED | WNOHANG | __WCLONE),
		     -ECHILD, "waitid(C, __WCLONE) in R",
		     "eligible_child(): its exit signal is SIGCHLD");

	step("adopted, a child with exit signal SIGURG is an ordinary one");
	r = spawn("R");
	c = spawn_clone(r, "C", 0, SIGURG);
	send_signal(r, SIGKILL);
	reap(r);
	exit_group(leader(c), 5);
	expect_death(c, 5 << 8, "reparent_leader(): exit_signal := SIGCHLD");
}

SCENARIO(exit_signal) = {
	.name = "exit-signal",
	.summary =
		"children with another exit signal: __WCLONE, __WALL, adoption",
	.rows = "NP1.2 NP6 EC2 EC3 A25 RL2",
	.needs = NEED_ROOT,
	.play = play,
};

static void autoreap(void)
{
	struct actor *r, *c;

	step("C is cloned with CLONE_AUTOREAP and ends: no zombie, nobody told");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	c = spawn_clone(r, "C", CLONE_AUTOREAP, 0);
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_pidfd()");
	expect_gone(leader(c), "do_notify_parent(): signal->autoreap");
	expect_equal(ask(leader(r), order_wait, c->pid, WEXITED | __WALL),
		     -ECHILD, "waitid(C, __WALL) in R",
		     "release_task() has run");
	expect_caught(leader(r), SIGCHLD, 0, "do_notify_parent(): sig is 0");

	step("adopted, it still vanishes without a word");
	c = spawn_clone(r, "D", CLONE_AUTOREAP, 0);
	send_signal(r, SIGKILL);
	reap(r);
	exit_group(leader(c), 5);
	expect_wakeup(c->pidfd, "pidfd of D", "do_notify_pidfd()");
	expect_gone(leader(c), "do_notify_parent(): signal->autoreap");
	expect_no_sigchld(c, "do_notify_parent(): autoreap beats exit_signal");
}

static const char *const autoreap_watches[] = {
	"12ae2c81b21c (\"clone: add CLONE_AUTOREAP\")", NULL
};

SCENARIO(clone_autoreap) = {
	.name = "clone-autoreap",
	.summary = "CLONE_AUTOREAP: a child that never becomes a zombie",
	.rows = "NP5 A20",
	.watches = autoreap_watches,
	.play = autoreap,
};
