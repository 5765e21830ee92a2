// SPDX-License-Identifier: GPL-2.0
/*
 * What SIGCHLD tells of a child that stops, goes on, is trapped; and that it is
 * not sent to who ignores it, or wants to hear of the dead only.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../scenario.h"

#define TOLD(code, status) ((code) << 8 | (status))

/* The blocked SIGCHLD that is pending, as TOLD(), or -EAGAIN. */
static int64_t order_sigchld(const struct order *o)
{
	const struct timespec now = { 0 };
	siginfo_t si;
	sigset_t set;

	(void)o;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return sigtimedwait(&set, &si, &now) < 0 ?
		       -errno :
		       TOLD(si.si_code, si.si_status);
}

/* A blocked signal is queued even if it is ignored: this looks at the sender. */
static int64_t order_dispose(const struct order *o)
{
	struct sigaction sa = { .sa_flags = (int)o->arg[1] };

	sa.sa_handler = o->arg[0] ? SIG_IGN : SIG_DFL;
	return sigaction(SIGCHLD, &sa, NULL) < 0 ? -errno : 0;
}

static void expect_told(struct actor *r, int64_t wanted, const char *why)
{
	if (wanted != -EAGAIN)
		await_pending(r, SIGCHLD);
	barrier();
	expect_equal(ask(leader(r), order_sigchld, 0, 0), wanted,
		     "si_code and si_status of SIGCHLD", why);
}

static void stop(struct actor *c)
{
	send_signal(c, SIGSTOP);
	expect_state(leader(c), 'T', "do_signal_stop()");
}

static void go_on(struct actor *c)
{
	send_signal(c, SIGCONT);
	expect_state(leader(c), 'S', "get_signal(): it takes orders");
}

static void play(void)
{
	static const char *const told = "do_notify_parent_cldstop()";
	struct actor *r, *c;

	step("C, a child of R, stops and goes on");
	r = spawn("R");
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	c = spawn_by(r, "C");
	stop(c);
	expect_told(r, TOLD(CLD_STOPPED, SIGSTOP), told);
	go_on(c);
	expect_told(r, TOLD(CLD_CONTINUED, SIGCONT), told);

	step("R wants to hear of the dead only: SA_NOCLDSTOP");
	ask(leader(r), order_dispose, 0, SA_NOCLDSTOP);
	stop(c);
	expect_told(r, -EAGAIN, "do_notify_parent_cldstop(): SA_NOCLDSTOP");
	expect_wait(leader(r), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_STOPPED, SIGSTOP),
		    "do_notify_parent_cldstop(): who waits is woken all the same");
	go_on(c);
	expect_told(r, -EAGAIN, "do_notify_parent_cldstop(): SA_NOCLDSTOP");

	step("R ignores SIGCHLD");
	ask(leader(r), order_dispose, 1, 0);
	stop(c);
	expect_told(r, -EAGAIN, "do_notify_parent_cldstop(): SIG_IGN");
	go_on(c);
	expect_told(r, -EAGAIN, "do_notify_parent_cldstop(): SIG_IGN");

	step("R traces C, which is trapped");
	ask(leader(r), order_dispose, 0, 0);
	trace(leader(r), PTRACE_SEIZE, leader(c), 0);
	trace(leader(r), PTRACE_INTERRUPT, leader(c), 0);
	expect_state(leader(c), 't', "do_jobctl_trap()");
	expect_told(r, TOLD(CLD_STOPPED, 0),
		    "do_jobctl_trap(): CLD_STOPPED, with the signal of a stop that there is not");
	expect_wait(leader(r), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED,
			   SIGTRAP | PTRACE_EVENT_STOP << 8),
		    "wait_task_stopped(): CLD_TRAPPED");

	step("it goes on, and gets SIGUSR1");
	trace(leader(r), PTRACE_CONT, leader(c), 0);
	send_signal(c, SIGUSR1);
	expect_state(leader(c), 't', "ptrace_signal()");
	expect_told(r, TOLD(CLD_TRAPPED, SIGUSR1), told);
}

SCENARIO(stop_info) = {
	.name = "stop-info",
	.summary =
		"SIGCHLD of a child that stops, goes on, is trapped: what it tells, and to whom not",
	.needs = NEED_ROOT,
	.play = play,
};
