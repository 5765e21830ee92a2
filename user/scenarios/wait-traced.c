// SPDX-License-Identifier: GPL-2.0
/*
 * A child with a tracer: who sees its stops, who may reap it, and what is left
 * for its parent. X traces, R is the parent, and both wait.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../scenario.h"

#define LOOK (WEXITED | WNOHANG | WNOWAIT)

#define EVENT_STOP(sig) (PTRACE_EVENT_STOP << 8 | (sig))

/* R with a second thread W and a child C, that X has seized. */
struct cast {
	struct actor *r, *x, *c;
	struct thread *l, *w, *t; /* of R, and X's */
};

static struct cast seized(int exit_signal)
{
	struct cast k;

	k.r = spawn("R");
	k.l = leader(k.r);
	k.w = thread(k.r, "W");
	ask(k.l, order_sigaction, SIGCHLD, DISPOSE_CATCH);
	k.c = spawn_clone(k.r, "C", 0, exit_signal);
	k.x = spawn("X");
	k.t = leader(k.x);
	trace(k.t, PTRACE_SEIZE, leader(k.c), 0);
	return k;
}

static int64_t exited(struct actor *c, int status)
{
	return WAITED(c->pid, CLD_EXITED, status);
}

static void exit_to_zombie(struct actor *c, int status)
{
	exit_group(leader(c), status);
	expect_state(leader(c), 'Z', "exit_notify(): a tracee is no autoreap");
}

/* Page faults of the children that were charged to a process. */
static int64_t order_charged(const struct order *o)
{
	struct rusage u;

	(void)o;
	return getrusage(RUSAGE_CHILDREN, &u) ? -errno : u.ru_minflt;
}

static void expect_charged(struct thread *t, bool wanted, const char *why)
{
	int64_t faults = ask(t, order_charged, 0, 0);

	expect(wanted == (faults > 0), why,
	       "RUSAGE_CHILDREN of %s: %lld page faults, expected %s", t->name,
	       (long long)faults, wanted ? "some" : "none");
}

/* --- stops -------------------------------------------------------------- */

static const char *const for_tracer = "task_stopped_code(): task_is_traced()";

/* C is about to stop, and asks its tracer. */
static void ask_to_stop(struct actor *c, struct thread *waits)
{
	begin_wait(waits, c->pid, WSTOPPED);
	send_signal(c, SIGSTOP);
	expect_wait_ends(waits, WAITED(c->pid, CLD_TRAPPED, SIGSTOP),
			 "ptrace_signal(): signal-delivery-stop");
	expect_state(leader(c), 't', "ptrace_stop(): TASK_TRACED");
}

static void stops(void)
{
	const char *for_parent =
		"task_stopped_code(): SIGNAL_STOP_STOPPED, for the parent";
	int64_t trapped, stopped;
	struct cast k;
	int look = WSTOPPED | WNOWAIT | WNOHANG;

	step("X has seized C, R's child: that it is about to stop is told to X only");
	k = seized(SIGCHLD);
	trapped = WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP));
	stopped = WAITED(k.c->pid, CLD_STOPPED, SIGSTOP);
	begin_wait(k.w, k.c->pid, WSTOPPED);
	ask_to_stop(k.c, k.t);
	expect_wait(k.t, k.c->pid, look, 0, "it was told: exit_code is 0");
	expect_wait_goes_on(k.w, for_parent);

	step("X lets it stop: that is told to both, in different words");
	trace(k.t, PTRACE_CONT, leader(k.c), SIGSTOP);
	expect_wait(k.t, k.c->pid, WSTOPPED | WNOWAIT, trapped, for_tracer);
	expect_wait_ends(k.w, stopped, for_parent);
	expect_wait(k.l, k.c->pid, look, 0,
		    "it was told: group_exit_code is 0");

	step("PTRACE_LISTEN: C is stopped, and its tracer has no stop to see");
	expect_wait(k.t, k.c->pid, WEXITED | WNOWAIT, trapped,
		    "wait_task_stopped(): a tracer needs no WUNTRACED");
	trace(k.t, PTRACE_LISTEN, leader(k.c), 0);
	expect_wait(k.t, k.c->pid, look, 0,
		    "task_stopped_code(): JOBCTL_LISTENING, though it was not told");
	begin_wait(k.t, k.c->pid, WSTOPPED);
	begin_wait(k.w, k.c->pid, WCONTINUED);
	send_signal(k.c, SIGCONT);
	expect_wait_ends(k.t,
			 WAITED(k.c->pid, CLD_TRAPPED, EVENT_STOP(SIGTRAP)),
			 "ptrace_trap_notify(): C traps again");
	trace(k.t, PTRACE_CONT, leader(k.c), 0);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_CONTINUED, SIGCONT),
			 "get_signal(): do_notify_parent_cldstop() of R, too");
}

SCENARIO(wait_traced_stops) = {
	.name = "wait-traced-stops",
	.summary =
		"a traced child stops: its tracer and its parent are told, each in its way",
	.needs = NEED_ROOT,
	.rows = "WS1 WS2 WS3 WS4 WC3.2",
	.play = stops,
};

static void own_child(void)
{
	struct actor *r, *c;
	struct thread *l, *w;

	step("R traces its own child C, which stops: told as to a tracer");
	r = spawn("R");
	l = leader(r);
	w = thread(r, "W");
	c = spawn_by(r, "C");
	trace(l, PTRACE_SEIZE, leader(c), 0);
	ask_to_stop(c, w);
	trace(l, PTRACE_CONT, leader(c), SIGSTOP);
	expect_wait(w, c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    for_tracer);

	step("the stop of the group is hidden from the real parent, as that is R");
	expect_wait(l, c->pid, WSTOPPED | WNOHANG, 0,
		    "wait_consider_task(): !ptrace_reparented(), so ptrace = 1");
	trace(l, PTRACE_LISTEN, leader(c), 0);
	expect_wait(l, c->pid, WSTOPPED | WNOHANG, 0,
		    "wait_consider_task(): !ptrace_reparented(), so ptrace = 1");

	step("C is killed: a zombie will not stop, so a wait for that says so");
	send_signal(c, SIGKILL);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_wait(w, c->pid, WSTOPPED, -ECHILD,
		    "wait_task_zombie(): no WEXITED, notask_error stays");
	expect_wait(w, c->pid, WEXITED, WAITED(c->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): the tracer's and the parent's in one");
	expect_gone(leader(c), "wait_task_zombie(): EXIT_DEAD");
}

static const char *const own_watches[] = {
	"\"wait: WSTOPPED|WCONTINUED hangs if a zombie child is traced by real_parent\", 3.15",
	NULL
};

SCENARIO(wait_traced_own) = {
	.name = "wait-traced-own",
	.summary =
		"a parent traces its own child: one stop, one exit; a zombie stops no more",
	.needs = NEED_ROOT,
	.watches = own_watches,
	.rows = "WC3.1 WZ1 A23",
	.play = own_child,
};

/* A tracer needs no __WALL, whatever the exit signal of its tracee is. */
static void any_exit_signal(void)
{
	struct cast k;

	step("C has exit signal 0: R cannot wait for it as for others, X can");
	k = seized(0);
	expect_wait(k.l, k.c->pid, WEXITED, -ECHILD,
		    "eligible_child(): __WCLONE or __WALL for such children");
	begin_wait(k.t, k.c->pid, WEXITED | WNOWAIT);
	exit_to_zombie(k.c, 7);
	expect_wait_ends(k.t, exited(k.c, 7),
			 "eligible_child(): ptrace stands for __WALL");
	expect_wait(k.t, 0, LOOK | (int)__WCLONE, exited(k.c, 7),
		    "eligible_child(): ptrace stands for __WALL");
	expect_wait(k.l, k.c->pid, LOOK, -ECHILD, "eligible_child()");
	expect_wait(k.l, k.c->pid, LOOK | (int)__WALL, 0,
		    "wait_consider_task(): X has to reap it first");

	step("X reaps it: R can have it with __WALL");
	expect_wait(k.t, k.c->pid, WEXITED, exited(k.c, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_wait(k.l, k.c->pid, LOOK, -ECHILD, "eligible_child()");
	expect_wait(k.l, k.c->pid, WEXITED | (int)__WALL, exited(k.c, 7),
		    "eligible_child(): __WALL");
}

static const char *const wall_watches[] = {
	"bf959931ddb8 (\"wait/ptrace: assume __WALL if the child is traced\")",
	"91c4e8ea8f05 (\"wait: allow sys_waitid() to accept __WNOTHREAD/__WCLONE/__WALL\")",
	NULL
};

SCENARIO(wait_traced_clone) = {
	.name = "wait-traced-clone",
	.summary =
		"a child with exit signal 0: its tracer sees the exit without __WALL",
	.needs = NEED_ROOT,
	.watches = wall_watches,
	.rows = "EC2 A24 A25",
	.play = any_exit_signal,
};

/* --- who reaps ---------------------------------------------------------- */

static void tracer_first(void)
{
	struct cast k;

	step("C, traced by X, ends: its parent R is told nothing");
	k = seized(SIGCHLD);
	begin_wait(k.w, k.c->pid, WEXITED);
	begin_wait(k.t, k.c->pid, WEXITED | WNOWAIT);
	exit_to_zombie(k.c, 7);
	expect_wait_ends(k.t, exited(k.c, 7),
			 "exit_notify(): tells the tracer");
	expect_wait(k.l, k.c->pid, LOOK, 0,
		    "wait_consider_task(): a traced zombie is the tracer's");
	expect_wait_goes_on(k.w,
			    "wait_consider_task(): a traced zombie is the tracer's");
	expect_caught(k.l, SIGCHLD, 0,
		      "do_notify_parent(): t->parent is the tracer");

	step("X reaps it: it is R's zombie now, and R is told");
	expect_wait(k.t, k.c->pid, WEXITED, exited(k.c, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_wait_ends(k.w, exited(k.c, 7),
			 "wait_task_zombie(): do_notify_parent(), EXIT_ZOMBIE again");
	expect_caught(k.l, SIGCHLD, 1,
		      "wait_task_zombie(): do_notify_parent()");
	expect_gone(leader(k.c), "wait_task_zombie(): EXIT_DEAD");
	expect_wait(k.t, k.c->pid, WEXITED, -ECHILD, "ptrace_unlink()");

	step("R is charged for C, X is not");
	expect_charged(k.l, true, "wait_task_zombie(): EXIT_DEAD and a leader");
	expect_charged(k.t, false, "wait_task_zombie(): EXIT_TRACE");
}

SCENARIO(wait_traced_zombie) = {
	.name = "wait-traced-zombie",
	.summary =
		"a traced child dies: the tracer reaps it, then the parent does and is charged",
	.needs = NEED_ROOT,
	.rows = "WC4.1 WC5 WZ4.1 WZ6 WZ7.2",
	.play = tracer_first,
};

static void parent_ignores(void)
{
	struct cast k;

	step("R ignores SIGCHLD; C, traced by X, ends: a zombie all the same");
	k = seized(SIGCHLD);
	ask(k.l, order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	begin_wait(k.w, k.c->pid, WEXITED);
	exit_to_zombie(k.c, 7);
	expect_wait_goes_on(k.w,
			    "wait_consider_task(): a traced zombie is the tracer's");

	step("X reaps it: it is gone, and R's wait ends without it");
	expect_wait(k.t, k.c->pid, WEXITED, exited(k.c, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_gone(leader(k.c),
		    "wait_task_zombie(): do_notify_parent() says so, EXIT_DEAD");
	expect_wait_ends(k.w, -ECHILD,
			 "do_notify_parent(): __wake_up_parent()");
	expect_charged(k.l, false,
		       "wait_task_zombie(): it was not R who waited");
}

SCENARIO(wait_traced_ignored) = {
	.name = "wait-traced-ignored",
	.summary =
		"the same when the parent ignores SIGCHLD: gone when the tracer has waited",
	.needs = NEED_ROOT,
	.rows = "WC5.2 WZ4.1 WZ6.2 WZ7.1",
	.play = parent_ignores,
};

static void tracer_dies(void)
{
	struct cast k;

	step("C, traced by X, ends; X does not wait, and is killed");
	k = seized(SIGCHLD);
	begin_wait(k.w, k.c->pid, WEXITED);
	exit_to_zombie(k.c, 7);
	expect_wait_goes_on(k.w,
			    "wait_consider_task(): a traced zombie is the tracer's");
	expect_caught(k.l, SIGCHLD, 0,
		      "do_notify_parent(): t->parent is the tracer");
	send_signal(k.x, SIGKILL);
	reap(k.x);
	expect_wait_ends(k.w, exited(k.c, 7),
			 "__ptrace_detach(): do_notify_parent() of the real parent");
	expect_caught(k.l, SIGCHLD, 1, "__ptrace_detach(): do_notify_parent()");
}

SCENARIO(wait_traced_orphan) = {
	.name = "wait-traced-orphan",
	.summary =
		"the tracer of a dead child is killed: the parent's wait returns",
	.needs = NEED_ROOT,
	.rows = "WC5 PD5.1",
	.play = tracer_dies,
};

/* --- threads ------------------------------------------------------------ */

static void one_thread(void)
{
	struct actor *p, *x;
	struct thread *t, *l;

	step("X has seized T, a thread of P, and nothing else of it");
	p = spawn("P");
	t = thread(p, "T");
	x = spawn("X");
	l = leader(x);
	trace(l, PTRACE_SEIZE, t, 0);
	expect_wait(l, t->tid, LOOK, 0,
		    "do_wait_pid(): PIDTYPE_PID and traced by X");
	expect_wait(l, p->pid, WEXITED, -ECHILD,
		    "do_wait_pid(): the leader is not traced");
	expect_wait(NULL, t->tid, WEXITED | (int)__WALL, -ECHILD,
		    "do_wait_pid(): only a tracer waits for a thread");

	step("T ends: X is told, P's parent is not");
	begin_wait(l, t->tid, WEXITED | WNOWAIT);
	exit_thread(t, 5);
	expect_wait_ends(l, WAITED(t->tid, CLD_EXITED, 5),
			 "exit_notify(): a traced thread tells its tracer");
	expect_state(t, 'Z', "exit_notify(): a traced thread is no autoreap");
	expect_wait(NULL, p->pid, LOOK, 0, "exit_notify(): P lives");
	expect_no_sigchld(p, "exit_notify(): P lives");

	step("X reaps it: gone, charged to nobody");
	expect_wait(l, 0, WEXITED, WAITED(t->tid, CLD_EXITED, 5),
		    "ptrace_do_wait(): all tracees");
	expect_gone(t, "wait_task_zombie(): no leader, EXIT_DEAD");
	expect_wait(l, t->tid, WEXITED, -ECHILD, "release_task()");
	expect_charged(l, false, "wait_task_zombie(): not a leader");
	expect_state(leader(p), 'S', "P lives");
}

SCENARIO(wait_traced_thread) = {
	.name = "wait-traced-thread",
	.summary =
		"a tracer waits for one thread by its tid; nobody else is told",
	.needs = NEED_ROOT,
	.rows = "DW2 DW1 WZ4.2 WZ6.2 A26",
	.play = one_thread,
};

static void dead_leader(void)
{
	struct cast k;
	struct thread *u;

	step("the leader of C, traced by X, ends; the thread U lives");
	k = seized(SIGCHLD);
	u = thread(k.c, "U");
	exit_thread(leader(k.c), 3);
	expect_state(leader(k.c), 'Z', "exit_notify(): EXIT_ZOMBIE");

	step("X can wait for its exit, not for a stop: that thread stops no more");
	expect_wait(k.t, k.c->pid, WSTOPPED, -ECHILD,
		    "wait_consider_task(): a dead tracee does not stop");
	expect_wait(k.t, k.c->pid, WCONTINUED | WNOHANG, 0,
		    "wait_consider_task(): the group may continue");
	expect_wait(k.t, k.c->pid, LOOK, 0,
		    "wait_consider_task(): delay_group_leader()");

	step("R can wait for both: the group stops without its leader");
	expect_wait(k.l, k.c->pid, LOOK, 0,
		    "wait_consider_task(): delay_group_leader()");
	begin_wait(k.w, k.c->pid, WSTOPPED);
	send_signal(k.c, SIGSTOP);
	expect_state(u, 'T', "do_signal_stop()");
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_STOPPED, SIGSTOP),
			 "wait_consider_task(): a zombie leader's group may stop");
	begin_wait(k.w, k.c->pid, WCONTINUED);
	send_signal(k.c, SIGCONT);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_CONTINUED, SIGCONT),
			 "wait_task_continued()");

	step("U ends, too: X is told, R after it");
	begin_wait(k.t, k.c->pid, WEXITED);
	begin_wait(k.w, k.c->pid, WEXITED);
	exit_group(u, 7);
	expect_wait_ends(k.t, exited(k.c, 7), "release_task(U): zap_leader");
	expect_wait_ends(k.w, exited(k.c, 7), "wait_task_zombie(): EXIT_TRACE");
}

static const char *const leader_watches[] = {
	"\"wait: WSTOPPED|WCONTINUED doesn't work if a zombie leader is traced by another process\", 3.15",
	NULL
};

SCENARIO(wait_traced_leader) = {
	.name = "wait-traced-leader",
	.summary =
		"a delayed leader with a tracer: what the tracer and the parent can wait for",
	.needs = NEED_ROOT,
	.watches = leader_watches,
	.rows = "WC4 WC6 A23",
	.play = dead_leader,
};

/* --- the old leader of an exec ------------------------------------------ */

/*
 * de_thread() wakes the tracer of the old leader, as that goes without a word.
 * But it does so after exchange_tids(): the old leader has T's pid then, and a
 * wait for the pid it had is not woken, by child_wait_callback(). Seen on 5.10
 * to 7.2; looks like a kernel bug, in what commit eac1b5e57d7a has mended. A
 * kernel without it turns this FAIL: then ONE returns ECHILD as ALL does.
 */
static void leader_of_exec(void)
{
	struct thread *t, *u, *all, *one;
	struct actor *p, *x, *y;

	step("X has seized the leader L of P, and waits for it in two threads");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	x = spawn("X");
	all = thread(x, "ALL");
	one = thread(x, "ONE");
	ask(leader(x), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	trace(leader(x), PTRACE_SEIZE, leader(p), 0);
	begin_wait(all, 0, WEXITED);
	begin_wait(one, p->pid, WEXITED);

	step("T calls exec, which waits for U, the zombie of another tracer Y");
	y = spawn("Y");
	trace(leader(y), PTRACE_SEIZE, u, 0);
	tell(t, order_exec, 0, 0);
	expect_state(u, 'Z', "exit_notify(): a traced thread is no autoreap");
	expect_state(leader(p), 'Z', "zap_other_threads(), exit_notify()");
	expect_wait_goes_on(all, "wait_consider_task(): delay_group_leader()");
	expect_wait_goes_on(one, "wait_consider_task(): delay_group_leader()");

	step("Y lets go of U: T is the leader now, L is gone without a word");
	expect_wait(leader(y), u->tid, WEXITED, WAITED(u->tid, CLD_EXITED, 0),
		    "do_group_exit(): group_exec_task is set, so the code is 0");
	expect_execed(t, "de_thread(): nobody else is left");
	expect_wait_ends(all, -ECHILD,
			 "de_thread(): EXIT_DEAD, __wake_up_parent() of the tracer");
	expect_wait(all, p->pid, WEXITED, -ECHILD,
		    "do_wait_pid(): T has that pid, and no tracer");
	expect_no_sigchld(p, "P lives");
	expect_wait(NULL, p->pid, LOOK, 0, "wait_consider_task(): P lives");

	step("the wait for L's pid was not woken: it sleeps until a signal comes");
	expect_wait_goes_on(one,
			    "child_wait_callback(): L has T's pid, not the one waited for");
	send_thread(one, SIGUSR1);
	expect_wait_ends(one, -ECHILD, "do_wait(): restarted, looks again");
}

static const char *const exec_watches[] = {
	"eac1b5e57d7a (\"ptrace: do_wait(traced_leader_killed_by_mt_exec) can block forever\")",
	NULL
};

SCENARIO(wait_traced_exec) = {
	.name = "wait-traced-exec",
	.summary =
		"known divergence: exec replaces a traced leader, one wait of its tracer sleeps on",
	.needs = NEED_ROOT,
	.watches = exec_watches,
	.rows = "WC1 DT7 A26",
	.play = leader_of_exec,
};

/* --- two tracees -------------------------------------------------------- */

static void two_tracees(void)
{
	struct actor *r, *x, *c[2];

	step("X traces A, then B, both children of R");
	r = spawn("R");
	c[0] = spawn_by(r, "A");
	c[1] = spawn_by(r, "B");
	x = spawn("X");
	for (int i = 0; i < 2; i++)
		trace(leader(x), PTRACE_SEIZE, leader(c[i]), 0);

	/* Whichever is first in its list. */
	for (int i = 0; i < 2; i++) {
		step("%s is interrupted, the other one runs", i ? "B" : "A");
		trace(leader(x), PTRACE_INTERRUPT, leader(c[i]), 0);
		expect_wait(leader(x), 0, WSTOPPED,
			    WAITED(c[i]->pid, CLD_TRAPPED, EVENT_STOP(SIGTRAP)),
			    "ptrace_do_wait(): every tracee");
		trace(leader(x), PTRACE_CONT, leader(c[i]), 0);
		expect_wait(leader(x), 0, WSTOPPED | WNOHANG, 0,
			    "ptrace_do_wait(): no tracee has stopped");
	}
}

SCENARIO(wait_traced_two) = {
	.name = "wait-traced-two",
	.summary =
		"a tracer is told of any of its tracees, not of the first one only",
	.needs = NEED_ROOT,
	.play = two_tracees,
};
