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
	expect_wait(leader(by), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
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
	.rows = "NR2.1 NR5 NR6.1 FP3.2 FK4.1 A42",
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
	.rows = "NR6.2 RL3.1 A44",
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
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "do_wait(): the children of all threads");
}

SCENARIO(adoption_thread) = {
	.name = "adoption-by-thread",
	.summary =
		"the thread that forked a child ends: the process stays its parent",
	.needs = NEED_ROOT,
	.rows = "NR1.1 FP5.1",
	.play = threaded,
};

static bool usr1_caught(void *t)
{
	return ask(t, order_caught, SIGUSR1, 0) > 0;
}

/* Among threads nobody is told, and nothing about the child changes. */
static void in_the_family(void)
{
	const char *threaded = "forget_original_parent(): same_thread_group()";
	struct actor *r, *c, *d;
	struct thread *t;

	step("R has a zombie child D, and C, whose exit signal is SIGUSR1");
	r = spawn("R");
	t = thread(r, "T");
	ask(t, order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(t, order_sigaction, SIGCHLD, DISPOSE_CATCH);
	d = spawn_by(r, "D");
	c = spawn_clone(r, "C", 0, SIGUSR1);
	exit_group(leader(d), 2);
	/* Any thread of R may take it. */
	expect_caught(t, SIGCHLD, 1, "do_notify_parent()");

	step("the leader of R, which forked them, ends; T lives");
	exit_thread(leader(r), 3);
	expect_state(leader(r), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_caught(t, SIGCHLD, 1, threaded);

	step("C ends: SIGUSR1 as before");
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_parent()");
	expect_caught(t, SIGUSR1, 1, threaded);
	expect_caught(t, SIGCHLD, 1, threaded);

	step("R is killed: the adopter has both, and is told of ordinary children");
	send_signal(r, SIGKILL);
	reap(r);
	expect_wait(NULL, d->pid, WEXITED, WAITED(d->pid, CLD_EXITED, 2),
		    "find_new_reaper()");
	expect_wait(NULL, c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "reparent_leader(): exit_signal := SIGCHLD");
}

SCENARIO(adoption_in_family) = {
	.name = "adoption-in-family",
	.summary =
		"children go from a thread to another one: nobody is told, the exit signal stays",
	.needs = NEED_ROOT,
	.rows = "FP5 RL2",
	.play = in_the_family,
};

/* R: its leader has forked C, which asks for SIGUSR1; T is R's other thread. */
static struct actor *parent_of(struct actor **c, struct thread **t)
{
	struct actor *r = spawn("R");

	*t = thread(r, "T");
	*c = spawn_by(r, "C");
	ask(leader(*c), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(leader(*c), order_prctl, PR_SET_PDEATHSIG, SIGUSR1);
	return r;
}

static void expect_usr1(struct actor *c, int times, const char *why)
{
	expect_caught(leader(c), SIGUSR1, times, why);
}

static void held_thread(void)
{
	const char *each =
		"forget_original_parent(): pdeath_signal, for each parent that ends";
	struct actor *r, *c;
	struct thread *t;
	int g = gate();

	step("R is killed, its thread T sleeps in D: T inherits C");
	r = parent_of(&c, &t);
	hold_read(t, g);
	send_signal(r, SIGKILL);
	expect_state(leader(r), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	await_true(usr1_caught, leader(c), AWAIT_MS);
	expect_equal(ppid(c), r->pid, "PPid of C",
		     "find_alive_thread(): T has no PF_EXITING, killed or not");
	expect_usr1(c, 1, each);
	expect_no_sigchld(r, "exit_notify(): thread_group_empty() is false");

	step("T is released: now C is an orphan");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	reap(r);
	expect_equal(ppid(c), getpid(), "PPid of C", "find_new_reaper()");
	expect_usr1(c, 2, each);

	step("R is killed, its thread T is held in exit_files(): C is an orphan");
	r = parent_of(&c, &t);
	hold_in_exit(t, g, IN_FILES, 5);
	send_signal(r, SIGKILL);
	expect_state(leader(r), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	await_true(usr1_caught, leader(c), AWAIT_MS);
	expect_equal(ppid(c), getpid(), "PPid of C",
		     "find_alive_thread(): T has PF_EXITING");
	expect_no_sigchld(r, "exit_notify(): thread_group_empty() is false");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	reap(r);
	expect_usr1(c, 1, "forget_original_parent(): T has no children");
}

SCENARIO(adoption_held_thread) = {
	.name = "adoption-by-held-thread",
	.summary =
		"a thread in D inherits the children of a killed process, one in exit does not",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "NR1 A46 FP2",
	.play = held_thread,
};

/* Nobody of ours adopts: init does, and reaps. */
static void expect_init_adopts(struct actor *c, const char *why)
{
	expect_equal(ppid(c), 1, "PPid of the orphan C", why);
	exit_group(leader(c), 7);
	expect_gone(leader(c), "init waits for what it has adopted");
}

static void no_subreaper(void)
{
	const char *climbs = "find_new_reaper(): nobody up to the idle task";
	struct actor *s, *r, *c;

	step("no ancestor is a subreaper");
	s = spawn("S");
	c = orphan_below(s, 1);
	if (ppid(c) != 1)
		skip("there is a subreaper above us (%d)", ppid(c));
	expect_init_adopts(c,
			   "find_new_reaper(): has_child_subreaper is false");

	step("S was one when it forked, and is none any more");
	subreaper(s, true);
	r = spawn_by(s, "R");
	c = spawn_by(r, "C");
	subreaper(s, false);
	send_signal(r, SIGKILL);
	if (!await_readable(r->pidfd, AWAIT_MS))
		broken("R does not die");
	expect_init_adopts(c, climbs);

	step("S is one, and dies before the parent of C");
	subreaper(s, true);
	r = spawn_by(s, "R");
	c = spawn_by(r, "C");
	send_signal(s, SIGKILL);
	reap(s);
	expect_equal(ppid(r), 1, "PPid of R", climbs);
	send_signal(r, SIGKILL);
	expect_gone(leader(r), "init waits for what it has adopted");
	expect_init_adopts(c, climbs);
}

SCENARIO(adoption_init) = {
	.name = "adoption-init",
	.summary =
		"no subreaper, none any more, or a dead one: init adopts, and reaps",
	.needs = NEED_ROOT,
	.adopted_by_init = true,
	.rows = "NR2.2 NR4 NR7 FK4.2",
	.play = no_subreaper,
};
