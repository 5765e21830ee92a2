// SPDX-License-Identifier: GPL-2.0
/*
 * PTRACE_EVENT_EXIT: a tracer holds a thread in do_exit(), without a module.
 * Its code is decided, PF_EXITING is not set, nobody is told.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define EVENT(e) ((e) << 8 | SIGTRAP)
#define CODE(n)  ((n) << 8)

/* PTRACE_GETEVENTMSG of thread arg[0]. */
static int64_t order_message(const struct order *o)
{
	unsigned long message = 0;

	return ptrace(PTRACE_GETEVENTMSG, (pid_t)o->arg[0], NULL, &message) <
			       0 ?
		       -errno :
		       (int64_t)message;
}

static void expect_message(struct thread *by, struct thread *t, int64_t wanted,
			   const char *why)
{
	expect_equal(ask(by, order_message, t->tid, 0), wanted,
		     "PTRACE_GETEVENTMSG", why);
}

/* X has seized @t for its end; the order to end is given by the story. */
static struct thread *tracer_of(struct thread *t)
{
	/* Not the runner's: of two SIGCHLD at once the second is lost. */
	struct thread *x = leader(spawn_by(spawn("Y"), "X"));

	trace(x, PTRACE_SEIZE, t, PTRACE_O_TRACEEXIT);
	return x;
}

static void expect_at_exit(struct thread *x, struct thread *t, int code)
{
	expect_wait(x, t->tid, WSTOPPED,
		    WAITED(t->tid, CLD_TRAPPED, EVENT(PTRACE_EVENT_EXIT)),
		    "do_exit(): ptrace_event(PTRACE_EVENT_EXIT)");
	expect_message(x, t, code, "do_exit(): the code");
	expect_state(t, 't', "ptrace_stop()");
	expect_asleep_in(t, "do_exit", "do_exit(): before exit_signals()");
}

static void expect_nobody_told(struct actor *p)
{
	const char *why = "exit_notify() has not run";

	expect_no_sigchld(p, why);
	expect_no_event(p, WEXITED, why);
	expect_no_wakeup(p->pidfd, "pidfd of P", why);
}

static void held(void)
{
	struct thread *x, *t;
	struct actor *p;

	step("P ends by exit_group(7) and is held by X, its tracer");
	p = spawn("P");
	x = tracer_of(leader(p));
	exit_group(leader(p), 7);
	expect_at_exit(x, leader(p), CODE(7));
	expect_nobody_told(p);
	expect_verdict(p);

	step("X lets it go: it dies, and is X's zombie first");
	trace(x, PTRACE_CONT, leader(p), 0);
	expect_wait(x, p->pid, WEXITED, WAITED(p->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_death(p, CODE(7), "wait_task_zombie(): do_notify_parent()");

	step("T, a thread of P, is held; the leader has ended: delayed by it");
	p = spawn("P");
	t = thread(p, "T");
	x = tracer_of(t);
	exit_thread(t, 5);
	expect_at_exit(x, t, CODE(5));
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_nobody_told(p);

	step("X is killed: T goes on, and P is dead");
	send_signal(x->actor, SIGKILL);
	expect_death(p, CODE(3),
		     "synchronize_group_exit(): the leader was the last to enter");
	expect_gone(t, "release_task(T)");
}

SCENARIO(tracer_exit_stop) = {
	.name = "tracer-exit-stop",
	.summary =
		"PTRACE_EVENT_EXIT holds a thread in do_exit(): nobody is told until it goes on",
	.needs = NEED_ROOT,
	.rows = "PT2 EN6.2 WC4.2",
	.verdict = "tracer-holds",
	.play = held,
};

static void expect_deaf(struct thread *t)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	expect(st.state == 't' && !st.shdpnd && !st.sigpnd,
	       "prepare_signal(): SIGNAL_GROUP_EXIT, the signal is dropped",
	       "after SIGKILL %s %d is %c, pending %#llx and %#llx (expected t, 0, 0)",
	       t->name, t->tid, st.state, (unsigned long long)st.shdpnd,
	       (unsigned long long)st.sigpnd);
	expect_nobody_told(t->actor);
}

static void killed(void)
{
	struct thread *x, *t;
	struct actor *p;

	step("T, a thread of P, ends by SYS_exit(5) and is held; P is killed");
	p = spawn("P");
	t = thread(p, "T");
	x = tracer_of(t);
	exit_thread(t, 5);
	expect_at_exit(x, t, CODE(5));
	send_signal(p, SIGKILL);
	expect_wait(x, t->tid, WEXITED, WAITED(t->tid, CLD_KILLED, SIGKILL),
		    "ptrace_stop(): SIGKILL ends it");
	expect_death(p, SIGKILL, "complete_signal(): group_exit_code");

	step("P ends by exit_group(7) and is held, then killed");
	p = spawn("P");
	x = tracer_of(leader(p));
	exit_group(leader(p), 7);
	expect_at_exit(x, leader(p), CODE(7));
	send_signal(p, SIGKILL);
	if (kernel_before(6, 0)) {
		/* And before commit cbe9dac37904 ("signal: Ensure
		 * SIGNAL_GROUP_EXIT gets set in do_group_exit"), 6.0, it set
		 * the code of a process with one thread, too.
		 */
		expect_wait(x, p->pid, WEXITED,
			    WAITED(p->pid, CLD_KILLED, SIGKILL),
			    "ptrace_stop(): SIGKILL ends it");
		expect_wait(NULL, p->pid, WEXITED,
			    WAITED(p->pid, CLD_KILLED, SIGKILL),
			    "complete_signal(): group_exit_code");
		return;
	}
	expect_deaf(leader(p));
	step("X is killed: P goes on");
	send_signal(x->actor, SIGKILL);
	expect_death(p, CODE(7), "do_group_exit(): the code was set before");
}

/* A regression, by the look of it: no SIGKILL for who is stopped there. */
static const char *const killed_watches[] = {
	"9a95f78eab70 (\"signal: Drop signals received after a fatal signal has been processed\")",
	NULL
};

SCENARIO(tracer_exit_stop_killed) = {
	.name = "tracer-exit-stop-killed",
	.summary =
		"known divergence: SIGKILL ends PTRACE_EVENT_EXIT, but not if the group is exiting",
	.needs = NEED_ROOT,
	.watches = killed_watches,
	.rows = "PT3",
	.play = killed,
};
