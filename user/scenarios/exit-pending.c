// SPDX-License-Identifier: GPL-2.0
/*
 * Signals and those who die: what becomes of one that is sent to a process
 * that has got SIGKILL, or to a thread in do_exit(), and of one that the dying
 * thread was to take.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../core/proc.h"
#include "../scenario.h"

#define BIT(sig) (1ULL << ((sig)-1))

static struct proc_status status(struct thread *t)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	return st;
}

static void expect_pending(uint64_t mask, int sig, bool wanted,
			   const char *what, const char *why)
{
	bool seen = mask & BIT(sig);

	expect(seen == wanted, why, "%s: SIG%s %s (expected %s)", what,
	       sigabbrev_np(sig), seen ? "yes" : "no", wanted ? "yes" : "no");
}

static void after_fatal(void)
{
	/* Commit 9a95f78eab70, 6.0: dropped; 5.10 queues it. */
	bool queued = kernel_before(6, 0);
	struct actor *p;
	struct thread *t;
	int g = gate();

	step("P, whose thread T is in D, gets SIGUSR1: it is queued");
	p = spawn("P");
	t = thread(p, "T");
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(t, order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR2);
	ask(t, order_sigmask, SIG_BLOCK, SIGUSR2);
	hold_read(t, g);
	send_signal(p, SIGUSR1);
	expect_pending(status(t).shdpnd, SIGUSR1, true, "pending for P",
		       "__send_signal_locked()");

	step("P is killed, then it gets SIGUSR2");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	send_signal(p, SIGUSR2);
	expect_pending(status(t).shdpnd, SIGUSR2, queued, "pending for P",
		       "prepare_signal(): SIGNAL_GROUP_EXIT, nothing but SIGKILL");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL, "complete_signal(): group_exit_code");
}

static const char *const fatal_watches[] = {
	"9a95f78eab70 (\"signal: Drop signals received after a fatal signal has been processed\")",
	NULL
};

SCENARIO(signal_after_kill) = {
	.name = "signal-after-kill",
	.summary =
		"a signal for a process that has got SIGKILL and is still there: dropped",
	.rows = "A7 ES1.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = fatal_watches,
	.play = after_fatal,
};

static void after_fatal_single(void)
{
	bool queued = kernel_before(6, 0);
	struct actor *p;
	int g = gate();

	step("P, with one thread, is killed by SIGTERM and held in exit_files()");
	p = spawn("P");
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	arm_exit(leader(p), g, IN_FILES);
	send_signal(p, SIGTERM);
	await_held(leader(p), g, 1);

	step("it gets SIGUSR1");
	send_signal(p, SIGUSR1);
	expect_pending(status(leader(p)).shdpnd, SIGUSR1, queued,
		       "pending for P",
		       "do_group_exit(): SIGNAL_GROUP_EXIT, with one thread too");
	expect_equal(release(g), 1, "threads released", "the gate held P");
	expect_death(p, SIGTERM, "do_group_exit(): group_exit_code");
}

static const char *const single_watches[] = {
	"cbe9dac37904 (\"signal: Ensure SIGNAL_GROUP_EXIT gets set in do_group_exit\")",
	NULL
};

SCENARIO(signal_after_kill_single) = {
	.name = "signal-after-kill-single",
	.summary =
		"the same of a process with one thread, killed and stuck in exit",
	.rows = "A8",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = single_watches,
	.play = after_fatal_single,
};

static void stopping(void)
{
	struct actor *p;
	struct thread *t;
	int last, g = gate();

	step("P shall stop, and does not: its thread T is in D");
	p = spawn("P");
	t = thread(p, "T");
	last = gate_of(1U << UNDEAD_POINT_FLUSH, UNDEAD_KIND_INTERRUPTIBLE);
	arm_exit(t, last, IN_FILES);
	hold_read(t, g);
	send_signal(p, SIGSTOP);
	expect_state(leader(p), 'T', "do_signal_stop(): T has not stopped");

	step("its leader is killed, T released: it dies, and no signal is pending for it");
	/* By kill() it would be: in the queue of the process, for ever. */
	send_thread(leader(p), SIGKILL);
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_asleep_in(t, "do_exit",
			 "complete_signal(): JOBCTL_STOP_PENDING is cleared");
	expect_state(t, 'S', "exit_files(): it sleeps, interruptible");
	expect_equal(release(last), 1, "threads released", "it held T");
	expect_death(p, SIGKILL, "complete_signal(): group_exit_code");
}

SCENARIO(kill_stopping) = {
	.name = "kill-stopping",
	.summary =
		"killed on its way to a stop: nothing of that disturbs it when it dies",
	.rows = "A7",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = stopping,
};

static void thread_exiting(void)
{
	struct actor *p;
	struct thread *t;
	bool queued;
	int g = gate();

	step("T, with SIGUSR1 blocked and sent to it, is held in exit_files()");
	p = spawn("P");
	t = thread(p, "T");
	ask(t, order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(t, order_sigmask, SIG_BLOCK, SIGUSR2);
	send_thread(t, SIGUSR1);
	expect_pending(status(t).sigpnd, SIGUSR1, true, "pending for T",
		       "__send_signal_locked()");
	hold_in_exit(t, g, IN_FILES, 5);
	queued = status(t).sigpnd & BIT(SIGUSR1);
	/* 7.2 flushes them; no commit was found to cite. */
	if (!kernel_before(7, 2))
		expect_pending(status(t).sigpnd, SIGUSR1, false,
			       "pending for T", "exit_signals(): flush");
	else
		note("SIGUSR1 is %s", queued ? "still pending" : "flushed");

	step("it gets SIGUSR2: tgkill() says 0 in any case");
	send_thread(t, SIGUSR2);
	expect_pending(status(t).sigpnd, SIGUSR2, queued, "pending for T",
		       "task_can_queue_signal(): not with PF_EXITING; older kernels queue it");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(t, "release_task()");
	expect_state(leader(p), 'S', "the signals were for T alone");
}

SCENARIO(signal_to_dying_thread) = {
	.name = "signal-to-dying-thread",
	.summary =
		"tgkill() of a thread stuck in exit succeeds; newer kernels queue nothing",
	.rows = "A9",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = thread_exiting,
};

/* --- what the dead had queued ------------------------------------------- */

#define SIGNALS  300
#define SOMEBODY 60124 /* a user who has no other signal queued */

/* arg[1] times a signal that queues, to arg[0]. */
static int64_t order_queue(const struct order *o)
{
	const union sigval v = { 0 };

	for (int64_t i = 0; i < o->arg[1]; i++)
		if (sigqueue((pid_t)o->arg[0], SIGRTMIN, v) < 0)
			return -errno;
	return o->arg[1];
}

static int queued_by_user(struct actor *p)
{
	struct proc_status st;

	return proc_status(p->pid, 0, &st) ? -1 : st.sigq;
}

static bool queue_empty(void *r)
{
	return !queued_by_user(r);
}

static void queue(void)
{
	struct actor *r, *c;
	struct thread *t;
	int base;

	step("C has %d signals queued, and dies", SIGNALS);
	r = spawn("R");
	t = thread(r, "T");
	c = spawn_by(r, "C");
	ask(leader(r), order_setuid, SOMEBODY, 0);
	ask(leader(c), order_setuid, SOMEBODY, 0);
	base = queued_by_user(r);
	ask(leader(c), order_sigmask, SIG_BLOCK, SIGRTMIN);
	expect_equal(ask(leader(r), order_queue, c->pid, SIGNALS), SIGNALS,
		     "sigqueue() in R", "__sigqueue_alloc()");
	expect_equal(queued_by_user(r), base + SIGNALS, "SigQ of the user",
		     "sig_get_ucounts()");
	send_signal(c, SIGKILL);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect(queued_by_user(r) >= base + SIGNALS,
	       "release_task() has not run: shared_pending is as it was",
	       "SigQ of the user: %d", queued_by_user(r));

	step("C is reaped: they are gone");
	expect_wait(leader(r), c->pid, WEXITED,
		    WAITED(c->pid, CLD_KILLED, SIGKILL), "wait_task_zombie()");
	expect_equal(queued_by_user(r), base, "SigQ of the user",
		     "release_task(): flush_sigqueue(shared_pending)");

	step("T, a thread of R, has signals of its own queued, and ends");
	ask(t, order_sigmask, SIG_BLOCK, SIGRTMIN);
	for (int i = 0; i < SIGNALS; i++)
		send_thread(t, SIGRTMIN);
	expect_equal(queued_by_user(r), base + SIGNALS, "SigQ of the user",
		     "__send_signal_locked()");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	/* Older kernels flush when /proc does not have it any more. */
	await_true(queue_empty, r, AWAIT_MS);
	expect_equal(queued_by_user(r), base, "SigQ of the user",
		     "exit_signals(), before 7.2 release_task(): flush");

	step("a signal waits for R as a whole, and U, a thread of it, ends");
	t = thread(r, "U");
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(t, order_sigmask, SIG_BLOCK, SIGUSR1);
	send_signal(r, SIGUSR1);
	exit_thread(t, 5);
	expect_gone(t, "release_task(U)");
	expect_equal(queued_by_user(r), base + 1, "SigQ of the user",
		     "release_task(): U is no leader, shared_pending is not flushed");
}

SCENARIO(signal_queue) = {
	.name = "signal-queue",
	.summary =
		"what a zombie had queued counts against its user until it is reaped",
	.rows = "A10",
	.needs = NEED_ROOT,
	.play = queue,
};

/* --- who takes a fatal one ---------------------------------------------- */

/* Waits for the signal arg[0], whose disposition is the default. */
static int64_t order_await(const struct order *o)
{
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, (int)o->arg[0]);
	return sigwaitinfo(&set, &si);
}

static bool in_sigwait(void *t)
{
	struct thread *w = t;

	return proc_syscall(w->actor->pid, w->tid) == SYS_rt_sigtimedwait;
}

static void fatal(void)
{
	int64_t result = 0;
	struct actor *p, *x;
	struct thread *t;

	step("P: T waits for SIGTERM, which all have blocked: no end of P");
	p = spawn("P");
	t = thread(p, "T");
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGTERM);
	ask(t, order_sigmask, SIG_BLOCK, SIGTERM);
	tell(t, order_await, SIGTERM, 0);
	await_true(in_sigwait, t, AWAIT_MS);
	send_signal(p, SIGTERM);
	expect(!thread_result(t, AWAIT_MS, &result) && result == SIGTERM,
	       "complete_signal(): real_blocked has it",
	       "sigwaitinfo() of T: %lld (expected %d)", (long long)result,
	       SIGTERM);
	expect_state(leader(p), 'S', "recvmsg(): P goes on");

	step("unblocked in T, it ends P");
	ask(t, order_sigmask, SIG_UNBLOCK, SIGTERM);
	send_signal(p, SIGTERM);
	expect_death(p, SIGTERM, "complete_signal(): fatal to the whole group");

	step("Q is traced by X: SIGTERM stops it, SIGKILL ends it");
	x = spawn("X");
	p = spawn("Q");
	trace(leader(x), PTRACE_SEIZE, leader(p), 0);
	send_signal(p, SIGTERM);
	expect_state(leader(p), 't', "ptrace_signal(): the tracer decides");
	expect_no_event(p, WEXITED, "complete_signal(): p->ptrace");
	send_signal(p, SIGKILL);
	expect_wait(leader(x), p->pid, WEXITED | __WALL,
		    WAITED(p->pid, CLD_KILLED, SIGKILL),
		    "complete_signal(): SIGKILL, traced or not");
	reap(p);
}

SCENARIO(signal_fatal) = {
	.name = "signal-fatal",
	.summary =
		"a signal that kills by default: not when waited for, nor when traced",
	.needs = NEED_ROOT,
	.play = fatal,
};
