// SPDX-License-Identifier: GPL-2.0
/*
 * What a tracer may ask for while its tracee is stopped, and when SIGKILL or
 * an exec take that away.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define EVENT_STOP(sig) (PTRACE_EVENT_STOP << 8 | (sig))
#define EVENT(e)        ((e) << 8 | SIGTRAP)

static int64_t order_message(const struct order *o)
{
	unsigned long message = 0;

	return ptrace(PTRACE_GETEVENTMSG, (pid_t)o->arg[0], NULL, &message) <
			       0 ?
		       -errno :
		       (int64_t)message;
}

static int64_t try_ptrace(struct thread *by, int request, pid_t tid)
{
	return ask(by, order_ptrace, WITH_DATA(request, 0), tid);
}

/* C, child of R, whose group has stopped; X has seized it and listens. */
struct cast {
	struct actor *r, *c;
	struct thread *w, *x;
};

static struct cast listening(void)
{
	struct cast k;

	k.r = spawn("R");
	k.w = thread(k.r, "W");
	k.c = spawn_by(k.r, "C");
	k.x = leader(spawn("X"));
	begin_wait(k.w, k.c->pid, WSTOPPED);
	send_signal(k.c, SIGSTOP);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_STOPPED, SIGSTOP),
			 "do_signal_stop()");
	trace(k.x, PTRACE_SEIZE, leader(k.c), 0);
	expect_wait(k.x, k.c->pid, WSTOPPED,
		    WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    "ptrace_set_stopped(): JOBCTL_TRAP_STOP");
	trace(k.x, PTRACE_LISTEN, leader(k.c), 0);
	return k;
}

static void listen_killed(void)
{
	struct cast k;

	step("C has stopped; X listens: it has no hold on C now");
	k = listening();
	expect_state(leader(k.c), 't', "ptrace_request(): it stays trapped");
	expect_equal(try_ptrace(k.x, PTRACE_CONT, k.c->pid), -ESRCH,
		     "PTRACE_CONT", "ptrace_freeze_traced(): JOBCTL_LISTENING");
	expect_equal(try_ptrace(k.x, PTRACE_DETACH, k.c->pid), -ESRCH,
		     "PTRACE_DETACH",
		     "ptrace_freeze_traced(): JOBCTL_LISTENING");
	expect_verdict(k.c);

	step("C is killed: that ends it, X is told first, then R");
	begin_wait(k.x, k.c->pid, WEXITED);
	begin_wait(k.w, k.c->pid, WEXITED);
	send_signal(k.c, SIGKILL);
	expect_wait_ends(k.x, WAITED(k.c->pid, CLD_KILLED, SIGKILL),
			 "signal_wake_up(): SIGKILL wakes TASK_TRACED");
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_KILLED, SIGKILL),
			 "wait_task_zombie(): EXIT_TRACE, do_notify_parent()");

	step("the same, and X interrupts it: trapped anew, and no longer deaf");
	k = listening();
	begin_wait(k.w, k.c->pid, WSTOPPED);
	trace(k.x, PTRACE_INTERRUPT, leader(k.c), 0);
	expect_wait(k.x, k.c->pid, WSTOPPED,
		    WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    "ptrace_request(): JOBCTL_TRAP_STOP of a listener");
	expect_wait_goes_on(k.w, "do_jobctl_trap(): the group has not moved");
	trace(k.x, PTRACE_DETACH, leader(k.c), 0);
	expect_state(leader(k.c), 'T',
		     "__ptrace_unlink(): SIGNAL_STOP_STOPPED");
}

SCENARIO(tracer_listen_killed) = {
	.name = "tracer-listen-killed",
	.summary =
		"PTRACE_LISTEN: the tracee cannot be moved by its tracer, and SIGKILL ends it",
	.needs = NEED_ROOT,
	.rows = "WS1.2 PU1.1",
	.verdict = "tracer-holds",
	.play = listen_killed,
};

/* --- exec --------------------------------------------------------------- */

static void spurious(void)
{
	struct thread *t, *x;
	struct actor *p;
	pid_t was;

	step("X has seized T, a thread of P; T calls exec, and gets P's pid");
	p = spawn("P");
	t = thread(p, "T");
	was = t->tid;
	x = leader(spawn("X"));
	trace(x, PTRACE_SEIZE, t, PTRACE_O_TRACEEXEC);
	tell(t, order_exec, 0, 0);
	expect_state(leader(p), 't', "exec_binprm(): ptrace_event()");
	expect_gone(t, "exchange_tids(): T is P's leader now");
	expect_equal(try_ptrace(x, PTRACE_CONT, was), -ESRCH,
		     "PTRACE_CONT of the old tid", "find_get_task_by_vpid()");

	step("X has not waited: by that pid it may have meant somebody else");
	expect_equal(ask(x, order_message, p->pid, 0), -ESRCH,
		     "PTRACE_GETEVENTMSG",
		     "ptrace_freeze_traced(): looks_like_a_spurious_pid()");
	expect_equal(try_ptrace(x, PTRACE_CONT, p->pid), -ESRCH, "PTRACE_CONT",
		     "ptrace_freeze_traced(): looks_like_a_spurious_pid()");

	step("X waits, and knows: now it may");
	expect_wait(x, p->pid, WSTOPPED,
		    WAITED(p->pid, CLD_TRAPPED, EVENT(PTRACE_EVENT_EXEC)),
		    "exec_binprm(): ptrace_event(PTRACE_EVENT_EXEC)");
	expect_equal(ask(x, order_message, p->pid, 0), was,
		     "PTRACE_GETEVENTMSG: the tid of before",
		     "exec_binprm(): old_vpid");
	trace(x, PTRACE_CONT, leader(p), 0);
	expect_execed(t, "de_thread(): T took the leader's place");

	step("the leader calls exec: its pid does not change, X may at once");
	tell(leader(p), order_exec, 0, 0);
	expect_state(leader(p), 't', "exec_binprm(): ptrace_event()");
	expect_equal(ask(x, order_message, p->pid, 0), p->pid,
		     "PTRACE_GETEVENTMSG",
		     "looks_like_a_spurious_pid(): the same pid");
	trace(x, PTRACE_CONT, leader(p), 0);
	expect_execed(leader(p), "de_thread(): thread_group_empty()");
}

static const char *const spurious_watches[] = {
	"dbb5afad100a (\"ptrace: make ptrace() fail if the tracee changed its pid unexpectedly\")",
	NULL
};

SCENARIO(tracer_exec_pid) = {
	.name = "tracer-exec-pid",
	.summary =
		"a traced thread calls exec and gets another pid: its tracer has to wait first",
	.needs = NEED_ROOT,
	.watches = spurious_watches,
	.rows = "A58",
	.play = spurious,
};
