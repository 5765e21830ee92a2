// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_OP_WAITID, the second user of the kernel's wait: the same answers as
 * waitid(), and a completion for whatever makes a child one that can be reaped.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/ring.h"
#include "../scenario.h"

/* Commit f31ecf671ddc, 6.7; not in every libc's headers. */
#define OP_WAITID 50

#define LOOK (WEXITED | WNOHANG | WNOWAIT)

/* What there is to tell when nothing has happened. */
static bool all_zero(const siginfo_t *si)
{
	return !si->si_signo && !si->si_errno && !si->si_code && !si->si_pid &&
	       !si->si_uid && !si->si_status;
}

/* As order_wait(); -EBADMSG when nothing happened and yet a field is set. */
static int64_t order_ring_wait(const struct order *o)
{
	int type = (int)(o->arg[0] >> 32), id = (int)o->arg[0];
	struct ring r;
	int64_t result = ring_open(&r);
	siginfo_t si;

	if (result < 0)
		return result;
	memset(&si, 0xa5, sizeof(si));
	r.sqe->opcode = OP_WAITID;
	r.sqe->fd = id;
	r.sqe->len = (unsigned int)(!type && id ? P_PID : type);
	r.sqe->splice_fd_in = (int)o->arg[1];
	r.sqe->addr2 = (uint64_t)(uintptr_t)&si;
	result = ring_call(&r);
	ring_close(&r);
	if (result < 0)
		return result;
	if (all_zero(&si))
		return 0;
	if (si.si_signo != SIGCHLD || si.si_errno)
		return -EBADMSG;
	return WAITED(si.si_pid, si.si_code, si.si_status);
}

/* R with a thread W, whose waits go through a ring. */
static struct actor *ring_waiter(struct thread **w)
{
	struct actor *r = spawn("R");
	int64_t err;

	*w = thread(r, "W");
	err = ask(*w, order_ring_wait, 0, WEXITED);
	if (err == -EINVAL)
		skip("this kernel has no IORING_OP_WAITID (6.7 has it)");
	if (err != -ECHILD)
		skip("no io_uring here: %s",
		     err < 0 ? strerror((int)-err) : "an odd answer");
	return r;
}

static void expect_ring(struct thread *w, int64_t who, int options,
			int64_t wanted, const char *why)
{
	expect_wait_by(order_ring_wait, w, who, options, wanted, why);
}

static int64_t exited(struct actor *c, int status)
{
	return WAITED(c->pid, CLD_EXITED, status);
}

static void answers(void)
{
	struct actor *r, *c;
	struct thread *w;

	step("nothing to report: every field is 0");
	r = ring_waiter(&w);
	c = spawn_by(r, "C");
	expect_ring(w, c->pid, LOOK, 0, "io_waitid_copy_si(): info is zeroed");
	expect_ring(w, getpid(), WEXITED, -ECHILD, "__do_wait()");
	expect_ring(w, c->pid, 0, -EINVAL, "kernel_waitid_prepare()");

	step("a stop, a continue, an exit: each completes a wait that sleeps");
	begin_wait_by(order_ring_wait, w, c->pid, WSTOPPED);
	send_signal(c, SIGSTOP);
	expect_wait_ends(w, WAITED(c->pid, CLD_STOPPED, SIGSTOP),
			 "io_waitid_wait(): woken by do_notify_parent_cldstop()");
	begin_wait_by(order_ring_wait, w, c->pid, WCONTINUED);
	send_signal(c, SIGCONT);
	expect_wait_ends(w, WAITED(c->pid, CLD_CONTINUED, SIGCONT),
			 "io_waitid_wait(): woken by do_notify_parent_cldstop()");
	begin_wait_by(order_ring_wait, w, 0, WEXITED | WNOWAIT);
	exit_group(leader(c), 7);
	expect_wait_ends(w, exited(c, 7),
			 "io_waitid_wait(): woken by do_notify_parent()");
	expect_ring(w, c->pid, WEXITED, exited(c, 7), "wait_task_zombie()");
	expect_gone(leader(c), "release_task()");

	step("the last child vanishes, as R ignores SIGCHLD: ECHILD");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = spawn_by(r, "D");
	begin_wait_by(order_ring_wait, w, 0, WEXITED);
	exit_group(leader(c), 5);
	expect_wait_ends(w, -ECHILD, "io_waitid_cb(): __do_wait() again");
}

static const char *const watches[] = {
	"f31ecf671ddc (\"io_uring: add IORING_OP_WAITID support\")", NULL
};

SCENARIO(wait_io_uring) = {
	.name = "wait-io-uring",
	.summary =
		"IORING_OP_WAITID: nothing, a stop, a continue, an exit, the last child",
	.watches = watches,
	.rows = "A29 DW6",
	.play = answers,
};

static void delayed(struct thread *w, struct actor *r)
{
	struct actor *c;
	struct thread *t;

	step("the leader of C ends, its thread T lives: the wait goes on");
	c = spawn_by(r, "C");
	t = thread(c, "T");
	begin_wait_by(order_ring_wait, w, c->pid, WEXITED);
	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): delayed leader");
	expect_wait_goes_on(w, "wait_consider_task(): delay_group_leader()");
	exit_group(t, 7);
	expect_wait_ends(w, exited(c, 7), "release_task(T): zap_leader");
}

static void traced(struct thread *w, struct actor *r)
{
	struct actor *c, *x;

	step("C is traced by X and ends: the wait goes on until X is gone");
	c = spawn_by(r, "C");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	begin_wait_by(order_ring_wait, w, c->pid, WEXITED);
	exit_group(leader(c), 5);
	expect_state(leader(c), 'Z', "exit_notify(): a tracee");
	expect_wait_goes_on(w, "wait_consider_task(): the tracer's zombie");
	send_signal(x, SIGKILL);
	reap(x);
	expect_wait_ends(w, exited(c, 5), "__ptrace_detach(): tells R");
}

static void adopted(struct thread *w, struct actor *r)
{
	struct actor *m, *g, *k;

	step("R adopts the zombie G: a wait for its group completes");
	ask(leader(r), order_prctl, PR_SET_CHILD_SUBREAPER, 1);
	m = spawn_by(r, "M");
	k = spawn_by(r, "K");
	g = spawn_by(m, "G");
	ask(leader(k), order_setpgid, 0, 0);
	ask(leader(g), order_setpgid, 0, k->pid);
	exit_group(leader(g), 3);
	expect_state(leader(g), 'Z', "exit_notify(): M does not wait");
	begin_wait_by(order_ring_wait, w, WHO(P_PGID, k->pid), WEXITED);
	exit_group(leader(m), 2);
	expect_wait_ends(w, exited(g, 3), "reparent_leader(): tells R");
}

static void wakes(void)
{
	struct thread *w;
	struct actor *r = ring_waiter(&w);

	delayed(w, r);
	traced(w, r);
	adopted(w, r);
}

SCENARIO(wait_io_uring_wakes) = {
	.name = "wait-io-uring-wakes",
	.summary =
		"IORING_OP_WAITID sleeps: delayed leader, traced zombie, adopted zombie",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "A29 DW6 WC4 WC5",
	.play = wakes,
};
