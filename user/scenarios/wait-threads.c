// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of a parent: whose child is it with __WNOTHREAD, and who of those
 * that wait is woken by a death.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/proc.h"
#include "../scenario.h"

#define NOTHREAD ((int)__WNOTHREAD)
#define LOOK     (WEXITED | WNOHANG | WNOWAIT)

/* Both by their pid and among all: do_wait_pid() and do_wait_thread(). */
static void expect_wait_both(struct thread *t, struct actor *c, int options,
			     int64_t wanted, const char *why)
{
	expect_wait(t, c->pid, options, wanted, why);
	expect_wait(t, 0, options, wanted, why);
}

static void whose_child(void)
{
	const char *other =
		"is_effectively_child(), do_wait(): __WNOTHREAD, another thread's child";
	struct actor *r, *c;
	struct thread *l, *t;
	int64_t seven;

	step("R: the thread T forks C, the leader has no child");
	r = spawn("R");
	l = leader(r);
	t = thread(r, "T");
	c = spawn_from(t, "C");
	seven = WAITED(c->pid, CLD_EXITED, 7);
	expect_wait_both(l, c, WEXITED | NOTHREAD, -ECHILD, other);
	expect_wait_both(l, c, LOOK, 0, "do_wait(): children of all threads");
	expect_wait_both(t, c, LOOK | NOTHREAD, 0, "do_wait(): T's own child");

	step("C ends: the leader can have it, but not with __WNOTHREAD");
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_wait_both(l, c, WEXITED | NOTHREAD, -ECHILD, other);
	expect_wait_both(l, c, LOOK, seven,
			 "do_wait(): children of all threads");
	expect_wait_both(t, c, LOOK | NOTHREAD, seven,
			 "do_wait(): T's own child");

	step("T ends: C is the leader's own now, __WNOTHREAD or not");
	exit_thread(t, 5);
	expect_gone(t, "release_task(): a thread reaps itself");
	expect_wait_both(l, c, LOOK | NOTHREAD, seven,
			 "find_new_reaper(): a thread of the same process");
	expect_wait(l, c->pid, WEXITED | NOTHREAD, seven, "wait_task_zombie()");
}

SCENARIO(wait_nothread) = {
	.name = "wait-nothread",
	.summary =
		"__WNOTHREAD: the child of another thread is not mine, until that ends",
	.rows = "DW3 DW4 A26",
	.play = whose_child,
};

static void whose_tracee(void)
{
	struct actor *x, *c;
	struct thread *l, *t;

	step("X: the thread T seizes C, a stranger");
	c = spawn("C");
	x = spawn("X");
	l = leader(x);
	t = thread(x, "T");
	expect_wait_both(l, c, WEXITED, -ECHILD, "do_wait(): no child of X");
	trace(t, PTRACE_SEIZE, leader(c), 0);
	expect_wait_both(l, c, WEXITED | NOTHREAD, -ECHILD,
			 "is_effectively_child(), do_wait(): another thread's tracee");
	expect_wait_both(l, c, LOOK, 0, "ptrace_do_wait(): of all threads");
	expect_wait_both(t, c, LOOK | NOTHREAD, 0,
			 "ptrace_do_wait(): T's own tracee");
}

SCENARIO(wait_nothread_traced) = {
	.name = "wait-nothread-traced",
	.summary = "__WNOTHREAD: the tracee of another thread is not mine",
	.needs = NEED_ROOT,
	.rows = "DW2 DW3 DW4",
	.play = whose_tracee,
};

/* --- who is woken ------------------------------------------------------- */

/* How often it went to sleep so far. */
static int64_t sleeps(struct thread *t)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	return st.sleeps;
}

static void expect_woken(struct thread *t, int64_t *before, bool wanted,
			 const char *why)
{
	int64_t times;

	expect_wait_goes_on(t, why);
	times = sleeps(t) - *before;
	*before += times;
	/* A real-time kernel may sleep for a lock, too. */
	expect(wanted == (times > 0), why, "%s %d: woken in vain %lld times",
	       t->name, t->tid, (long long)times);
}

static void wakeups(void)
{
	const char *not_its =
		"child_wait_callback(): eligible_pid(), not the pid it wants";
	struct actor *r, *a, *b, *c;
	struct thread *wa, *wb, *wc, *ws;
	int64_t b0, c0, s0;

	step("R: WA waits for A, WB for B, WC for its own child C, WS for any stop");
	r = spawn("R");
	wa = thread(r, "WA");
	wb = thread(r, "WB");
	wc = thread(r, "WC");
	ws = thread(r, "WS");
	a = spawn_by(r, "A");
	b = spawn_by(r, "B");
	c = spawn_from(wc, "C");
	begin_wait(wa, a->pid, WEXITED);
	begin_wait(wb, b->pid, WEXITED);
	begin_wait(wc, 0, WEXITED | NOTHREAD);
	begin_wait(ws, 0, WSTOPPED);
	b0 = sleeps(wb);
	c0 = sleeps(wc);
	s0 = sleeps(ws);

	step("A ends: WA returns, WS is woken in vain, WB and WC are not");
	exit_group(leader(a), 7);
	expect_wait_ends(wa, WAITED(a->pid, CLD_EXITED, 7),
			 "child_wait_callback(): eligible_pid()");
	expect_woken(ws, &s0, true,
		     "child_wait_callback(): any child; it does not look at WSTOPPED");
	expect_woken(wb, &b0, false, not_its);
	expect_woken(wc, &c0, false,
		     "child_wait_callback(): __WNOTHREAD, A's parent is the leader");

	step("C ends: WC returns, WS is woken in vain, WB is not");
	exit_group(leader(c), 5);
	expect_wait_ends(wc, WAITED(c->pid, CLD_EXITED, 5),
			 "child_wait_callback(): C's parent is WC");
	expect_woken(ws, &s0, true, "child_wait_callback(): any child");
	expect_woken(wb, &b0, false, not_its);

	step("B ends: WB returns, and WS has nobody left");
	exit_group(leader(b), 3);
	expect_wait_ends(wb, WAITED(b->pid, CLD_EXITED, 3),
			 "child_wait_callback(): eligible_pid()");
	expect_wait_ends(ws, -ECHILD, "wait_task_zombie(): no WEXITED");
}

static const char *const wakeup_watches[] = {
	"0b7570e77f7c (\"do_wait() wakeup optimization: change __wake_up_parent() to use filtered wakeup\")",
	NULL
};

SCENARIO(wait_wakeup) = {
	.name = "wait-wakeup",
	.summary =
		"four threads wait, each for something else: a death wakes the one it is for",
	.watches = wakeup_watches,
	.rows = "DW6 A33",
	.play = wakeups,
};

static void adopted(void)
{
	struct actor *r, *m, *k, *g;
	struct thread *w;

	step("R, a subreaper, has a child M, M a child G, a zombie");
	r = spawn("R");
	w = thread(r, "W");
	expect_equal(ask(leader(r), order_prctl, PR_SET_CHILD_SUBREAPER, 1), 0,
		     "PR_SET_CHILD_SUBREAPER", "prctl()");
	m = spawn_by(r, "M");
	k = spawn_by(r, "K");
	g = spawn_by(m, "G");
	ask(leader(k), order_setpgid, 0, 0);
	ask(leader(g), order_setpgid, 0, k->pid);
	exit_group(leader(g), 7);
	expect_state(leader(g), 'Z', "exit_notify(): EXIT_ZOMBIE");

	step("W waits for the group of G, where its own child K lives");
	begin_wait(w, WHO(P_PGID, k->pid), WEXITED);
	expect_wait_goes_on(w, "do_wait(): G is no child of R yet");

	step("M ends: R has adopted a zombie, and W has it");
	exit_group(leader(m), 5);
	expect_wait_ends(w, WAITED(g->pid, CLD_EXITED, 7),
			 "reparent_leader(): do_notify_parent() wakes the new parent");
}

SCENARIO(wait_adopted) = {
	.name = "wait-adopted",
	.summary =
		"a blocked wait of the adopter returns when a zombie is adopted",
	.rows = "DW6.1 RL3.1",
	.play = adopted,
};

/* --- signals ------------------------------------------------------------ */

static void signals(void)
{
	struct actor *r, *c;
	struct thread *l;

	step("R waits for C; a signal with SA_RESTART: the wait goes on");
	r = spawn("R");
	l = leader(r);
	c = spawn_by(r, "C");
	ask(l, order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(l, order_sigaction, SIGUSR2, DISPOSE_CATCH_INTERRUPT);
	expect_wait(l, c->pid, WEXITED | WNOHANG, 0, "__do_wait(): WNOHANG");
	begin_wait(l, c->pid, WEXITED);
	send_signal(r, SIGUSR1);
	expect_wait_goes_on(l, "do_wait(): ERESTARTSYS, restarted");

	step("a stop and a continue of R: the wait goes on");
	send_signal(r, SIGSTOP);
	expect_state(l, 'T', "do_signal_stop()");
	send_signal(r, SIGCONT);
	expect_wait_goes_on(l, "do_wait(): ERESTARTSYS, there is no handler");

	step("a signal without SA_RESTART: EINTR");
	send_signal(r, SIGUSR2);
	expect_wait_ends(l, -EINTR, "do_wait(): ERESTARTSYS, not restarted");
	expect_equal(ask(l, order_caught, SIGUSR1, 0), 1,
		     "times R caught SIGUSR1", "handle_signal()");
	expect_equal(ask(l, order_caught, SIGUSR2, 0), 1,
		     "times R caught SIGUSR2", "handle_signal()");

	step("C has not been touched by any of that");
	begin_wait(l, c->pid, WEXITED);
	exit_group(leader(c), 7);
	expect_wait_ends(l, WAITED(c->pid, CLD_EXITED, 7),
			 "wait_task_zombie()");
}

SCENARIO(wait_signals) = {
	.name = "wait-signals",
	.summary =
		"a wait and signals: restarted, interrupted, not disturbed by a stop",
	.rows = "DW5",
	.play = signals,
};
