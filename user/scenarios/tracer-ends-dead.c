// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer ends and has tracees that are dead: __ptrace_detach() does what
 * their own end would have done, had nobody traced them.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/proc.h"
#include "../scenario.h"

#define BIT(sig) (1ULL << ((sig)-1))
#define LOOK     (WEXITED | WNOHANG | WNOWAIT)

/* X has seized C, a child of R; W, of R, waits. */
struct cast {
	struct actor *r, *x, *c;
	struct thread *w;
};

/* What R is told stays pending: it is blocked. */
static struct cast cast_of(uint64_t flags, int exit_signal)
{
	struct cast k;

	k.r = spawn("R");
	ask(leader(k.r), order_sigmask, SIG_BLOCK, SIGCHLD);
	ask(leader(k.r), order_sigmask, SIG_BLOCK, SIGUSR1);
	k.w = thread(k.r, "W");
	k.c = spawn_clone(k.r, "C", flags, exit_signal);
	k.x = spawn("X");
	return k;
}

static struct cast seized(int exit_signal)
{
	struct cast k = cast_of(0, exit_signal);

	trace(leader(k.x), PTRACE_SEIZE, leader(k.c), 0);
	return k;
}

static void end_tracer(struct actor *x)
{
	send_signal(x, SIGKILL);
	reap(x);
}

static void exit_to_zombie(struct actor *c, int status)
{
	exit_group(leader(c), status);
	expect_state(leader(c), 'Z', "exit_notify(): a tracee is no autoreap");
}

static void expect_told(struct actor *r, uint64_t wanted, const char *why)
{
	struct proc_status st;
	uint64_t seen;

	barrier();
	if (proc_status(r->pid, 0, &st))
		broken("%s %d is gone", r->name, r->pid);
	seen = st.shdpnd & (BIT(SIGCHLD) | BIT(SIGUSR1));
	expect(seen == wanted, why,
	       "pending for %s: SIGCHLD %s, SIGUSR1 %s (expected %s, %s)",
	       r->name, seen & BIT(SIGCHLD) ? "yes" : "no",
	       seen & BIT(SIGUSR1) ? "yes" : "no",
	       wanted & BIT(SIGCHLD) ? "yes" : "no",
	       wanted & BIT(SIGUSR1) ? "yes" : "no");
}

/* --- the child of another ----------------------------------------------- */

static const char *const theirs =
	"wait_consider_task(): a traced zombie is its tracer's";

static void zombie(void)
{
	struct cast k;

	step("C ends, X does not wait: its parent R is told nothing");
	k = seized(SIGUSR1);
	begin_wait(k.w, k.c->pid, WEXITED | (int)__WALL);
	exit_to_zombie(k.c, 7);
	expect_wait_goes_on(k.w, theirs);
	expect_told(k.r, 0, "do_notify_parent(): told tsk->parent, the tracer");

	step("X is killed: R is told, by the exit signal of C, and reaps it");
	end_tracer(k.x);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_EXITED, 7),
			 "__ptrace_detach(): do_notify_parent()");
	expect_told(k.r, BIT(SIGUSR1),
		    "__ptrace_detach(): do_notify_parent(exit_signal)");
	expect_gone(leader(k.c), "wait_task_zombie(): release_task()");

	step("R ignores SIGCHLD: X is killed, and C is gone, and R not told");
	k = seized(SIGCHLD);
	ask(leader(k.r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	begin_wait(k.w, k.c->pid, WEXITED);
	exit_to_zombie(k.c, 7);
	expect_wait_goes_on(k.w, theirs);
	end_tracer(k.x);
	expect_wait_ends(k.w, -ECHILD,
			 "do_notify_parent(): __wake_up_parent(), EXIT_DEAD");
	expect_gone(leader(k.c),
		    "__ptrace_detach(): do_notify_parent() says so");
	expect_told(k.r, 0, "do_notify_parent(): SIG_IGN");
}

SCENARIO(tracer_ends_zombie) = {
	.name = "tracer-ends-zombie",
	.summary =
		"a tracer is killed and had the zombie of another's child: told now, or reaped",
	.needs = NEED_ROOT,
	.rows = "PD2.2 PD3.2 PD4.1 PD5.1 A56",
	.play = zombie,
};

static void delayed(void)
{
	const char *silent = "__ptrace_detach(): thread_group_empty() is false";
	struct thread *t;
	struct cast k;

	step("the leader of C ends, X has seized it; T, a thread of C, lives");
	k = seized(SIGUSR1);
	t = thread(k.c, "T");
	begin_wait(k.w, k.c->pid, WEXITED | (int)__WALL);
	exit_thread(leader(k.c), 3);
	expect_state(leader(k.c), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_wait(leader(k.x), k.c->pid, LOOK, 0,
		    "wait_consider_task(): delay_group_leader()");

	step("X is killed: the leader is still delayed, nobody is told");
	end_tracer(k.x);
	expect_wait_goes_on(k.w, "wait_consider_task(): delay_group_leader()");
	expect_told(k.r, 0, silent);
	expect_no_wakeup(k.c->pidfd, "pidfd of C", silent);
	expect_state(leader(k.c), 'Z', silent);
	expect_state(t, 'S', "T is not traced");
	expect_verdict(k.c);

	step("T ends: now");
	exit_thread(t, 5);
	expect_wait_ends(k.w,
			 WAITED(k.c->pid, CLD_EXITED,
				kernel_before(6, 0) ? 3 : 5),
			 "release_task(T): zap_leader");
	expect_told(k.r, BIT(SIGUSR1), "release_task(T): zap_leader");
}

SCENARIO(tracer_ends_delayed) = {
	.name = "tracer-ends-delayed",
	.summary =
		"a tracer is killed and had a leader whose threads live: nobody is told yet",
	.needs = NEED_ROOT,
	.rows = "PD4.2 RT1.1",
	.verdict = "leader-exited",
	.play = delayed,
};

/* A thread has no parent to be told: it goes, and with it what it delayed. */
static void zombie_thread(void)
{
	struct thread *t;
	struct cast k;

	step("X has seized T, a thread of C, which ends: a zombie thread");
	k = cast_of(0, SIGCHLD);
	t = thread(k.c, "T");
	trace(leader(k.x), PTRACE_SEIZE, t, 0);
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): a traced thread is no autoreap");

	step("X is killed: T is gone, C lives, R is told nothing");
	end_tracer(k.x);
	expect_gone(t, "__ptrace_detach(): no leader, EXIT_DEAD");
	expect_state(leader(k.c), 'S', "C lives");
	expect_told(k.r, 0, "__ptrace_detach(): T is no leader");
	expect_wait(leader(k.r), 0, LOOK, 0, "C lives");

	step("X has U seized, U ends, and then the leader: delayed by a zombie");
	t = thread(k.c, "U");
	k.x = spawn("X");
	trace(leader(k.x), PTRACE_SEIZE, t, 0);
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): a traced thread is no autoreap");
	begin_wait(k.w, k.c->pid, WEXITED);
	exit_group(leader(k.c), 7);
	expect_state(leader(k.c), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_wait_goes_on(k.w, "wait_consider_task(): delay_group_leader()");
	expect_told(k.r, 0, "exit_notify(): thread_group_empty() is false");
	expect_verdict(k.c);

	step("X is killed: U is gone, and R can have C");
	end_tracer(k.x);
	expect_wait_ends(k.w, WAITED(k.c->pid, CLD_EXITED, 7),
			 "release_task(U), of the dead list: zap_leader");
	expect_told(k.r, BIT(SIGCHLD), "release_task(U): zap_leader");
	expect_gone(t, "__ptrace_detach(): no leader, EXIT_DEAD");
}

SCENARIO(tracer_ends_thread) = {
	.name = "tracer-ends-thread",
	.summary =
		"a tracer is killed and had a zombie thread: gone, and the leader can be reaped",
	.needs = NEED_ROOT,
	.rows = "PD3.1 EN10.1",
	.verdict = "tracer-holds",
	.play = zombie_thread,
};

/* --- the tracer's own child --------------------------------------------- */

/* R: the leader, W the parent of C, T its tracer. */
struct family {
	struct actor *r, *c;
	struct thread *w, *t;
};

static struct family family(void)
{
	struct family f;

	f.r = spawn("R");
	ask(leader(f.r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	ask(leader(f.r), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	f.w = thread(f.r, "W");
	f.t = thread(f.r, "T");
	f.c = spawn_from(f.w, "C");
	trace(f.t, PTRACE_SEIZE, leader(f.c), 0);
	return f;
}

/*
 * With __WNOTHREAD, W waits for its own children only, and is woken only for
 * those whose parent it is, or tracer: T is, so W sleeps beside a zombie that
 * it could reap. T's end does not wake it either. Looks like a kernel bug; seen
 * on 5.10 to 7.2. A kernel without it turns this FAIL: W returns at C's end.
 */
static void own_sleeper(struct family *f, const char *end)
{
	step("W, the parent of C, waits with __WNOTHREAD; C ends; %s", end);
	begin_wait(f->w, f->c->pid, WEXITED | (int)__WNOTHREAD);
	exit_to_zombie(f->c, 7);
	expect_wait_goes_on(f->w,
			    "pid_child_should_wake(): C's parent is T, who traces it");
	expect_caught(leader(f->r), SIGCHLD, 1,
		      "exit_notify(): not reparented: exit_signal");
}

static void own(void)
{
	int64_t seven;
	struct family f = family();

	seven = WAITED(f.c->pid, CLD_EXITED, 7);
	own_sleeper(&f, "R has a handler for SIGCHLD");
	step("T ends: C is the zombie of its group, and R is not told again");
	exit_thread(f.t, 5);
	expect_gone(f.t, "exit_notify(): autoreap");
	expect_caught(leader(f.r), SIGCHLD, 1,
		      "__ptrace_detach(): the tracer's own child");
	expect_state(leader(f.c), 'Z',
		     "__ptrace_detach(): ignoring_children()");
	expect_wait(leader(f.r), f.c->pid, LOOK, seven,
		    "__ptrace_detach(): it is a zombie, and not dead");
	expect_wait_goes_on(f.w, "__ptrace_detach(): nobody is woken");
	send_thread(f.w, SIGUSR1);
	expect_wait_ends(f.w, seven, "do_wait(): restarted, looks again");

	f = family();
	own_sleeper(&f, "R ignores SIGCHLD from then on");
	ask(leader(f.r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	step("T ends: C is gone, and W's wait ends without it");
	exit_thread(f.t, 5);
	expect_gone(leader(f.c), "__ptrace_detach(): ignoring_children()");
	expect_wait_ends(f.w, -ECHILD, "__ptrace_detach(): __wake_up_parent()");
	expect_wait(leader(f.r), 0, WEXITED, -ECHILD, "release_task(C)");

	f = family();
	own_sleeper(&f, "R has SA_NOCLDWAIT from then on");
	ask(leader(f.r), order_sigaction, SIGCHLD, DISPOSE_CATCH_NOCLDWAIT);
	step("T ends: C is gone, and W's wait ends without it");
	exit_thread(f.t, 5);
	expect_gone(leader(f.c), "__ptrace_detach(): ignoring_children()");
	expect_wait_ends(f.w, -ECHILD, "__ptrace_detach(): __wake_up_parent()");
	expect_caught(leader(f.r), SIGCHLD, 1,
		      "__ptrace_detach(): the tracer's own child");
}

SCENARIO(tracer_ends_own) = {
	.name = "tracer-ends-own",
	.summary =
		"the thread that traces its own group's child ends: a zombie, or gone if ignored",
	.needs = NEED_ROOT,
	.rows = "PD5.2 PD6 FP1.1",
	.play = own,
};

static void own_ignored(void)
{
	struct actor *r, *c;
	struct thread *w;

	step("R traces its own child C and ignores SIGCHLD; C ends: a zombie");
	r = spawn("R");
	w = thread(r, "W");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = spawn_by(r, "C");
	trace(leader(r), PTRACE_SEIZE, leader(c), 0);
	begin_wait(w, c->pid, WEXITED | WNOWAIT);
	exit_to_zombie(c, 7);
	expect_wait_ends(w, WAITED(c->pid, CLD_EXITED, 7),
			 "do_notify_parent(): traced, so no autoreap, and R is woken");

	step("R waits for it: it is gone");
	expect_wait(w, c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): the tracer's and the parent's in one");
	expect_gone(leader(c), "wait_task_zombie(): EXIT_DEAD");

	step("another one ends, and R does not wait but ends: gone all the same");
	c = spawn_by(r, "C");
	trace(leader(r), PTRACE_SEIZE, leader(c), 0);
	exit_to_zombie(c, 7);
	end_tracer(r);
	expect_gone(leader(c), "__ptrace_detach(): ignoring_children()");
	expect_no_sigchld(c, "__ptrace_detach(): dead, it is not given away");
}

SCENARIO(tracer_own_ignored) = {
	.name = "tracer-own-ignored",
	.summary =
		"a parent that ignores SIGCHLD traces its child: a zombie until it waits or ends",
	.needs = NEED_ROOT,
	.rows = "PD6.1 EN4.2",
	.play = own_ignored,
};

static void autoreap(void)
{
	struct thread *t;
	struct cast k;

	step("C is of CLONE_AUTOREAP and traced by X; it ends: X's zombie");
	k = cast_of(CLONE_AUTOREAP, 0);
	trace(leader(k.x), PTRACE_SEIZE, leader(k.c), 0);
	begin_wait(k.w, k.c->pid, WEXITED | (int)__WALL);
	exit_to_zombie(k.c, 7);
	expect_wait(leader(k.x), k.c->pid, LOOK,
		    WAITED(k.c->pid, CLD_EXITED, 7),
		    "do_notify_parent(): traced, so no autoreap");
	expect_wait_goes_on(k.w, theirs);
	end_tracer(k.x);
	expect_gone(leader(k.c), "do_notify_parent(): autoreap");
	expect_wait_ends(k.w, -ECHILD,
			 "do_notify_parent(): __wake_up_parent()");
	expect_told(k.r, 0, "do_notify_parent(): autoreap, no signal");

	step("the same, traced by T, a thread of its parent R");
	k = cast_of(CLONE_AUTOREAP, 0);
	t = thread(k.r, "T");
	trace(t, PTRACE_SEIZE, leader(k.c), 0);
	exit_to_zombie(k.c, 7);
	expect_wait(t, k.c->pid, LOOK, WAITED(k.c->pid, CLD_EXITED, 7),
		    "do_notify_parent(): traced, so no autoreap");
	exit_thread(t, 5);
	expect_gone(leader(k.c), "__ptrace_detach(): signal->autoreap");
	expect_told(k.r, 0, "__ptrace_detach(): nobody is told");
	expect_wait(leader(k.r), 0, WEXITED | (int)__WALL, -ECHILD,
		    "release_task(C)");
}

static const char *const autoreap_watches[] = {
	"12ae2c81b21c (\"clone: add CLONE_AUTOREAP\")", NULL
};

SCENARIO(tracer_ends_autoreap) = {
	.name = "tracer-ends-autoreap",
	.summary =
		"a child of CLONE_AUTOREAP is traced: a zombie as long as its tracer lives",
	.needs = NEED_ROOT,
	.watches = autoreap_watches,
	.rows = "PD5.1 PD6.1 NP5.1 A20",
	.play = autoreap,
};
