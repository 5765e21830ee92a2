// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer ends, with tracees in every state: __ptrace_detach() of the living,
 * who go on as if nobody had traced them. Of the dead: tracer-ends-dead.c.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define EVENT_STOP(sig) (PTRACE_EVENT_STOP << 8 | (sig))

/* X has seized C, a child of R; W, of R, is there to wait. */
struct cast {
	struct actor *r, *x, *c;
	struct thread *w, *t; /* of R, and X's */
};

static struct cast seized(int64_t options)
{
	struct cast k;

	k.r = spawn("R");
	k.w = thread(k.r, "W");
	ask(leader(k.r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	k.c = spawn_by(k.r, "C");
	ask(leader(k.c), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	k.x = spawn("X");
	k.t = leader(k.x);
	trace(k.t, PTRACE_SEIZE, leader(k.c), options);
	return k;
}

static void end_tracer(struct cast *k)
{
	send_signal(k->x, SIGKILL);
	reap(k->x);
}

static void expect_tracer(struct actor *c, pid_t tracer, const char *why)
{
	struct proc_status st;

	if (proc_status(c->pid, 0, &st))
		broken("%s %d is gone", c->name, c->pid);
	expect_equal(st.tracer, tracer, "TracerPid", why);
}

/* R has heard of C @times so far; signals caught are counted. */
static void expect_told(struct cast *k, int times, const char *why)
{
	barrier();
	expect_equal(ask(leader(k->r), order_caught, SIGCHLD, 0), times,
		     "times R caught SIGCHLD", why);
}

/* It ends as anybody's child. */
static void end_of(struct cast *k, int told)
{
	begin_wait(k->w, k->c->pid, WEXITED);
	exit_group(leader(k->c), 7);
	expect_wait_ends(k->w, WAITED(k->c->pid, CLD_EXITED, 7),
			 "do_notify_parent(): to the real parent");
	expect_told(k, told, "do_notify_parent(): to the real parent");
}

static void running(void)
{
	struct cast k;

	step("C sleeps, X has seized it: X is killed, and nothing is seen of it");
	k = seized(0);
	expect_tracer(k.c, k.x->pid, "ptrace_link()");
	end_tracer(&k);
	expect_tracer(k.c, 0, "__ptrace_unlink()");
	expect_state(leader(k.c), 'S', "__ptrace_unlink(): it is not woken");
	expect_told(&k, 0, "__ptrace_detach(): C is no zombie, nobody is told");
	expect_wait(leader(k.r), k.c->pid, WEXITED | WSTOPPED | WNOHANG, 0,
		    "__ptrace_detach(): C is no zombie");
	end_of(&k, 1);

	step("C is at a signal that X has not waited for: it gets the signal");
	k = seized(0);
	send_signal(k.c, SIGUSR1);
	expect_state(leader(k.c), 't', "ptrace_signal(): ptrace_stop()");
	end_tracer(&k);
	expect_equal(ask(leader(k.c), order_caught, SIGUSR1, 0), 1,
		     "times C caught SIGUSR1",
		     "ptrace_stop(): woken by __ptrace_unlink(), exit_code is the signal");
	end_of(&k, 1);

	step("X has waited for that stop and is killed: the signal is lost");
	k = seized(0);
	begin_wait(k.t, k.c->pid, WSTOPPED);
	send_signal(k.c, SIGUSR1);
	expect_wait_ends(k.t, WAITED(k.c->pid, CLD_TRAPPED, SIGUSR1),
			 "ptrace_signal(): ptrace_stop()");
	end_tracer(&k);
	expect_state(leader(k.c), 'S',
		     "__ptrace_unlink(): task_is_traced(), so it is woken");
	expect_equal(ask(leader(k.c), order_caught, SIGUSR1, 0), 0,
		     "times C caught SIGUSR1",
		     "wait_task_stopped(): exit_code is 0 now, as if X had cancelled it");
	end_of(&k, 1);
}

SCENARIO(tracer_ends_running) = {
	.name = "tracer-ends-running",
	.summary =
		"a tracer is killed: its tracees go on, and their parent hears nothing",
	.needs = NEED_ROOT,
	.rows = "PD2.1 PU1.2 FP1.1",
	.play = running,
};

/* The group stop of C is told to R, once, whoever traces it. */
static void stop_with_tracer(struct cast *k)
{
	int64_t c = k->c->pid;

	begin_wait(k->t, c, WSTOPPED);
	send_signal(k->c, SIGSTOP);
	expect_wait_ends(k->t, WAITED(c, CLD_TRAPPED, SIGSTOP),
			 "ptrace_signal(): signal-delivery-stop");
	begin_wait(k->w, c, WSTOPPED);
	trace(k->t, PTRACE_CONT, leader(k->c), SIGSTOP);
	expect_wait(k->t, c, WSTOPPED,
		    WAITED(c, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    "do_signal_stop(): a trap for the tracer");
	expect_wait_ends(k->w, WAITED(c, CLD_STOPPED, SIGSTOP),
			 "do_notify_parent_cldstop(): the group has stopped");
	expect_state(leader(k->c), 't', "do_jobctl_trap(): ptrace_stop()");
}

static void goes_on_stopped(struct cast *k)
{
	expect_state(leader(k->c), 'T',
		     "__ptrace_unlink(): SIGNAL_STOP_STOPPED, it stops again");
	expect_tracer(k->c, 0, "__ptrace_unlink()");
	expect_wait(leader(k->r), k->c->pid, WSTOPPED | WNOHANG, 0,
		    "do_signal_stop(): the group has not stopped anew");
	begin_wait(k->w, k->c->pid, WCONTINUED);
	send_signal(k->c, SIGCONT);
	expect_wait_ends(k->w, WAITED(k->c->pid, CLD_CONTINUED, SIGCONT),
			 "prepare_signal(): SIGNAL_CLD_CONTINUED");
	expect_state(leader(k->c), 'S', "prepare_signal(): SIGCONT");
}

static void stopped(void)
{
	struct cast k;

	step("C's group has stopped, C is trapped for X; X is killed: T, not t");
	k = seized(0);
	stop_with_tracer(&k);
	expect_verdict(k.c);
	end_tracer(&k);
	goes_on_stopped(&k);

	step("the same, and X has said PTRACE_LISTEN");
	k = seized(0);
	stop_with_tracer(&k);
	trace(k.t, PTRACE_LISTEN, leader(k.c), 0);
	expect_state(leader(k.c), 't', "ptrace_request(): JOBCTL_LISTENING");
	expect_verdict(k.c);
	end_tracer(&k);
	goes_on_stopped(&k);

	step("the same, and X detaches");
	k = seized(0);
	stop_with_tracer(&k);
	trace(k.t, PTRACE_DETACH, leader(k.c), 0);
	goes_on_stopped(&k);

	step("C is trapped and not stopped: X detaches, and C runs");
	k = seized(0);
	k = seized(0);
	trace(k.t, PTRACE_INTERRUPT, leader(k.c), 0);
	expect_wait(k.t, k.c->pid, WSTOPPED,
		    WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGTRAP)),
		    "ptrace_request(): JOBCTL_TRAP_STOP");
	trace(k.t, PTRACE_DETACH, leader(k.c), 0);
	expect_state(leader(k.c), 'S', "__ptrace_unlink(): no group stop");
	expect_tracer(k.c, 0, "__ptrace_unlink()");
	expect_wait(leader(k.r), k.c->pid, WSTOPPED | WCONTINUED | WNOHANG, 0,
		    "__ptrace_unlink(): no group stop");
}

SCENARIO(tracer_ends_stopped) = {
	.name = "tracer-ends-stopped",
	.summary =
		"a tracer is killed while its tracee is in a group stop: the stop stays",
	.needs = NEED_ROOT,
	.rows = "PU1.1",
	.verdict = "tracer-holds",
	.play = stopped,
};

/* One thread in D is still to stop: the group is stopping, not stopped. */
static void stopping(void)
{
	struct cast k;
	struct thread *u;
	int g = gate();

	step("C: its thread U is in D; SIGSTOP, and C's leader is trapped for X");
	k = seized(0);
	u = thread(k.c, "U");
	hold_read(u, g);
	begin_wait(k.t, k.c->pid, WSTOPPED);
	send_signal(k.c, SIGSTOP);
	expect_wait_ends(k.t, WAITED(k.c->pid, CLD_TRAPPED, SIGSTOP),
			 "ptrace_signal(): signal-delivery-stop");
	begin_wait(k.w, k.c->pid, WSTOPPED);
	trace(k.t, PTRACE_CONT, leader(k.c), SIGSTOP);
	expect_wait(k.t, k.c->pid, WSTOPPED,
		    WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    "do_signal_stop(): a trap for the tracer");
	expect_wait_goes_on(k.w, "do_signal_stop(): group_stop_count is 1: U");

	step("X is killed: the leader of C stops, and is not counted twice");
	end_tracer(&k);
	expect_state(leader(k.c), 'T',
		     "__ptrace_unlink(): group_stop_count, it stops again");
	expect_wait_goes_on(k.w, "do_signal_stop(): group_stop_count is 1: U");
	expect_told(&k, 0, "do_signal_stop(): group_stop_count is 1: U");

	step("U is released and stops: now R is told");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_state(u, 'T', "do_signal_stop()");
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_STOPPED, SIGSTOP),
			 "do_notify_parent_cldstop(): the last one has stopped");
	expect_told(&k, 1, "do_notify_parent_cldstop()");
	send_signal(k.c, SIGCONT);
	expect_state(leader(k.c), 'S', "prepare_signal(): SIGCONT");
	expect_state(u, 'S', "prepare_signal(): SIGCONT");
}

SCENARIO(tracer_ends_stopping) = {
	.name = "tracer-ends-stopping",
	.summary =
		"a tracer is killed while the group of its tracee is stopping, held by a thread in D",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "PU1.1",
	.play = stopping,
};

/* --- PTRACE_O_EXITKILL -------------------------------------------------- */

static void kills(void)
{
	struct actor *d, *e;
	struct cast k;

	step("X has seized C and D with PTRACE_O_EXITKILL, E without");
	k = seized(PTRACE_O_EXITKILL);
	d = spawn_by(k.r, "D");
	e = spawn_by(k.r, "E");
	trace(k.t, PTRACE_SEIZE, leader(d), PTRACE_O_EXITKILL);
	trace(k.t, PTRACE_SEIZE, leader(e), 0);

	step("D ends by exit_group(5), and is X's zombie");
	exit_group(leader(d), 5);
	expect_state(leader(d), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_told(&k, 0, "do_notify_parent(): told tsk->parent, the tracer");

	step("X is killed: C dies of it, D has died already, E goes on");
	begin_wait(k.w, k.c->pid, WEXITED);
	end_tracer(&k);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_KILLED, SIGKILL),
			 "exit_ptrace(): PT_EXITKILL, SIGKILL");
	expect_wait(k.w, d->pid, WEXITED, WAITED(d->pid, CLD_EXITED, 5),
		    "exit_ptrace(): SIGKILL means nothing to a zombie");
	expect_state(leader(e), 'S', "exit_ptrace(): no PT_EXITKILL");
	expect_tracer(e, 0, "__ptrace_unlink()");
	expect_wait(k.w, 0, WEXITED | WNOHANG, 0, "E lives");
}

static const char *const kills_watches[] = {
	"992fb6e17063 (\"ptrace: introduce PTRACE_O_EXITKILL\")", NULL
};

SCENARIO(tracer_ends_kills) = {
	.name = "tracer-ends-kills",
	.summary =
		"PTRACE_O_EXITKILL: the tracees die with their tracer, and only those",
	.needs = NEED_ROOT,
	.watches = kills_watches,
	.rows = "PD1 A55",
	.play = kills,
};

static void kills_held(void)
{
	struct thread *u;
	struct cast k;
	int g = gate();

	step("X has seized C with PTRACE_O_EXITKILL; U, a thread of C, is in D");
	k = seized(PTRACE_O_EXITKILL);
	u = thread(k.c, "U");
	hold_read(u, g);

	step("X is killed: C is, too, but U does not hear of it");
	begin_wait(k.w, k.c->pid, WEXITED);
	end_tracer(&k);
	expect_state(leader(k.c), 'Z', "exit_ptrace(): SIGKILL");
	expect_state(u, 'D', "TASK_UNINTERRUPTIBLE is deaf to SIGKILL");
	expect_tracer(k.c, 0, "__ptrace_unlink()");
	expect_wait_goes_on(k.w, "wait_consider_task(): delay_group_leader()");
	expect_no_wakeup(k.c->pidfd, "pidfd of C",
			 "pidfd_poll(): a delayed leader");
	expect_told(&k, 0, "exit_notify(): thread_group_empty() is false");
	expect_verdict(k.c);

	step("U is released: C is dead");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_KILLED, SIGKILL),
			 "release_task(U): zap_leader");
	expect_told(&k, 1, "release_task(U): zap_leader");
}

SCENARIO(tracer_ends_kills_held) = {
	.name = "tracer-ends-kills-held",
	.summary =
		"PTRACE_O_EXITKILL of a process with a thread in D: dead when that is released",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = kills_watches,
	.rows = "PD1.1 A55",
	.verdict = "delayed-leader",
	.play = kills_held,
};
