// SPDX-License-Identifier: GPL-2.0
/*
 * Stops and continues as a parent sees them: each is told once, to a wait that
 * asked for it, and is forgotten when the opposite happens.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../scenario.h"

static const char *const told = "wait_task_stopped(): exit_code is cleared";
static const char *const kept = "wait_task_stopped(): WNOWAIT clears nothing";

static void stop(struct actor *c)
{
	send_signal(c, SIGSTOP);
	expect_state(leader(c), 'T', "do_signal_stop()");
}

static void go_on(struct actor *c)
{
	send_signal(c, SIGCONT);
	expect_state(leader(c), 'S', "prepare_signal(): SIGCONT wakes");
}

static void stops(void)
{
	struct actor *r, *c;
	struct thread *l, *w;
	int64_t stopped;

	step("R waits for its child C to stop, and it does");
	r = spawn("R");
	l = leader(r);
	w = thread(r, "W");
	c = spawn_by(r, "C");
	stopped = WAITED(c->pid, CLD_STOPPED, SIGSTOP);
	expect_wait(l, c->pid, WSTOPPED | WNOHANG, 0,
		    "task_stopped_code(): SIGNAL_STOP_STOPPED is not set");
	begin_wait(w, c->pid, WSTOPPED | WNOWAIT);
	stop(c);
	expect_wait_ends(w, stopped, "do_notify_parent_cldstop() wakes R");

	step("who did not ask for stops is not told of this one");
	expect_wait(l, c->pid, WEXITED | WCONTINUED | WNOHANG, 0,
		    "wait_task_stopped(): no WUNTRACED");
	begin_wait(w, c->pid, WEXITED | WCONTINUED | WNOWAIT);

	step("with WNOWAIT it is told again and again, without it only once");
	expect_wait(l, c->pid, WSTOPPED | WNOWAIT, stopped, kept);
	expect_wait(l, 0, WSTOPPED | WNOWAIT, stopped, kept);
	expect_wait(l, c->pid, WSTOPPED, stopped, told);
	expect_wait(l, c->pid, WSTOPPED | WNOHANG, 0,
		    "wait_task_stopped(): exit_code is 0, it was told");
	expect_wait(l, c->pid, WSTOPPED | WNOWAIT | WNOHANG, 0,
		    "wait_task_stopped(): exit_code is 0, it was told");
	expect_wait_goes_on(w, "wait_task_stopped(): no WUNTRACED");

	step("killed while it is stopped: that is told to everybody");
	begin_wait(l, c->pid, WSTOPPED | WEXITED | WNOWAIT);
	send_signal(c, SIGKILL);
	expect_wait_ends(l, WAITED(c->pid, CLD_KILLED, SIGKILL),
			 "__wake_up_parent(): all threads that wait");
	expect_wait_ends(w, WAITED(c->pid, CLD_KILLED, SIGKILL),
			 "__wake_up_parent(): all threads that wait");
	expect_wait(l, c->pid, WEXITED, WAITED(c->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie()");
}

SCENARIO(wait_stopped) = {
	.name = "wait-stopped",
	.summary =
		"a stop is told once, again with WNOWAIT, and not to who did not ask",
	.rows = "WS2 WS3 WS4",
	.play = stops,
};

static void continues(void)
{
	struct actor *r, *c;
	struct thread *l, *w;
	int64_t continued;

	step("C is stopped and goes on; nobody has waited for the stop");
	r = spawn("R");
	l = leader(r);
	w = thread(r, "W");
	c = spawn_by(r, "C");
	continued = WAITED(c->pid, CLD_CONTINUED, SIGCONT);
	expect_wait(l, c->pid, WCONTINUED | WNOHANG, 0,
		    "wait_task_continued(): SIGNAL_STOP_CONTINUED is not set");
	stop(c);
	begin_wait(w, c->pid, WCONTINUED | WNOWAIT);
	go_on(c);
	expect_wait_ends(w, continued, "do_notify_parent_cldstop() wakes R");

	step("who did not ask for that is not told; the stop is forgotten");
	expect_wait(l, c->pid, WSTOPPED | WEXITED | WNOHANG, 0,
		    "wait_task_continued(): no WCONTINUED; signal_set_stop_flags()");
	begin_wait(w, c->pid, WSTOPPED | WEXITED);

	step("with WNOWAIT it is told again and again, without it only once");
	expect_wait(l, c->pid, WCONTINUED | WNOWAIT, continued,
		    "wait_task_continued(): WNOWAIT clears nothing");
	expect_wait(l, c->pid, WCONTINUED, continued,
		    "wait_task_continued(): SIGNAL_STOP_CONTINUED is cleared");
	expect_wait(l, c->pid, WCONTINUED | WNOHANG, 0,
		    "wait_task_continued(): it was told");
	expect_wait_goes_on(w, "wait_task_continued(): no WCONTINUED");

	step("SIGCONT to a process that runs is nothing to tell");
	send_signal(c, SIGCONT);
	expect_wait(l, c->pid, WCONTINUED | WNOHANG, 0,
		    "prepare_signal(): it was not stopped");

	step("stopped again: the continue is forgotten");
	stop(c);
	expect_wait_ends(w, WAITED(c->pid, CLD_STOPPED, SIGSTOP),
			 "do_notify_parent_cldstop() wakes R");
	go_on(c);
	stop(c);
	expect_wait(l, c->pid, WCONTINUED | WNOHANG, 0,
		    "signal_set_stop_flags(): SIGNAL_STOP_CONTINUED went");
}

SCENARIO(wait_continued) = {
	.name = "wait-continued",
	.summary =
		"a continue is told once, again with WNOWAIT; it forgets the stop",
	.rows = "WT1 WT2 WT3 WS2",
	.play = continues,
};

/* A group has stopped when its last thread has: T cannot, it is in D. */
static void stopping(void)
{
	const int look = WSTOPPED | WNOWAIT | WNOHANG;
	struct actor *r, *c;
	struct thread *l, *w, *t;
	int g = gate();

	step("C is told to stop; its leader does, its thread T is in D");
	r = spawn("R");
	l = leader(r);
	w = thread(r, "W");
	c = spawn_by(r, "C");
	t = thread(c, "T");
	hold_read(t, g);
	begin_wait(w, c->pid, WSTOPPED);
	stop(c);
	expect_wait(l, c->pid, look, 0,
		    "task_stopped_code(): no SIGNAL_STOP_STOPPED yet, though there is a code");
	expect_wait_goes_on(w, "do_signal_stop(): group_stop_count is 1");

	step("T is released: now C has stopped");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_wait_ends(w, WAITED(c->pid, CLD_STOPPED, SIGSTOP),
			 "do_signal_stop(): the last one tells the parent");
	send_signal(c, SIGCONT);
	expect_wait(l, c->pid, WCONTINUED,
		    WAITED(c->pid, CLD_CONTINUED, SIGCONT),
		    "wait_task_continued()");

	step("C is killed while T is in D: it has a code, and is not stopped");
	hold_read(t, g);
	send_signal(c, SIGKILL);
	expect_state(leader(c), 'Z', "exit_notify(): delayed leader");
	expect_wait(l, c->pid, look, 0,
		    "task_stopped_code(): no SIGNAL_STOP_STOPPED");
	begin_wait(w, c->pid, WSTOPPED | WEXITED);
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_wait_ends(w, WAITED(c->pid, CLD_KILLED, SIGKILL),
			 "release_task(T): zap_leader");
}

SCENARIO(wait_stopping) = {
	.name = "wait-stopping",
	.summary =
		"a stop is told when the last thread has stopped, not while one is in D",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "WS1 WC4",
	.play = stopping,
};

static void zombie(void)
{
	struct actor *r, *c;
	struct thread *l;
	int64_t seven;

	step("R's child C is a zombie: WNOWAIT leaves it so");
	r = spawn("R");
	l = leader(r);
	c = spawn_by(r, "C");
	seven = WAITED(c->pid, CLD_EXITED, 7);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_wait(l, c->pid, WEXITED | WNOWAIT, seven,
		    "wait_task_zombie(): WNOWAIT");
	expect_wait(l, 0, WEXITED | WNOWAIT, seven,
		    "wait_task_zombie(): WNOWAIT");
	expect_state(leader(c), 'Z', "wait_task_zombie(): WNOWAIT");

	step("who waits for no exit has nothing to wait for: a zombie only exits");
	expect_wait(l, c->pid, WSTOPPED, -ECHILD,
		    "wait_task_zombie(): no WEXITED, notask_error stays");
	expect_wait(l, c->pid, WCONTINUED, -ECHILD,
		    "wait_task_zombie(): no WEXITED, notask_error stays");
	expect_wait(l, 0, WSTOPPED | WCONTINUED, -ECHILD,
		    "wait_task_zombie(): no WEXITED, notask_error stays");
	expect_wait(l, c->pid, WEXITED | WSTOPPED, seven, "wait_task_zombie()");
	expect_gone(leader(c), "release_task()");
}

SCENARIO(wait_zombie) = {
	.name = "wait-zombie",
	.summary =
		"a zombie: WNOWAIT leaves it; a wait for stops only says ECHILD",
	.rows = "WZ1 WZ2",
	.play = zombie,
};
