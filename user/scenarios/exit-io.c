// SPDX-License-Identifier: GPL-2.0
/*
 * A read that does not end, asked for by io_submit() or by io_uring, when its
 * process ends: the first is waited for by whoever is the last to let go of the
 * address space, in D; the second by nobody.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../core/proc.h"
#include "../core/ring.h"
#include "../core/snap.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

static int aio_gate(void)
{
	return gate_of(1U << UNDEAD_POINT_AIO, UNDEAD_KIND_UNINTERRUPTIBLE);
}

static uint64_t held_at(int gate_fd)
{
	struct undead_counters c;

	if (dev_counters(gate_fd, &c))
		broken("cannot read the counters of a gate");
	return c.held;
}

static void expect_in_flight(int gate_fd, const char *why)
{
	expect_equal((int64_t)held_at(gate_fd), 1, "reads in flight", why);
}

/* --- io_submit() -------------------------------------------------------- */

static void alone(void)
{
	struct actor *p;
	int g = aio_gate();

	step("P, with one thread and a read in flight, calls exit_group(7)");
	p = spawn("P");
	arm_exit(leader(p), g, IN_AIO);
	exit_group(leader(p), 7);
	expect_asleep_in(leader(p), "exit_aio", "exit_mm(): mmput()");
	expect_state(leader(p), 'D', "exit_aio(): wait_for_completion()");
	expect_no_sigchld(p, "exit_notify() has not run");
	expect_no_event(p, WEXITED, "wait_consider_task(): no exit_state");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");

	step("SIGKILL cannot end it, and does not count");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'D', "exit_aio(): deaf");
	expect_verdict(p);

	step("the read ends: P is dead, by its own code");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
	expect_death(p, CODE(7), "prepare_signal(): SIGNAL_GROUP_EXIT was set");
}

SCENARIO(exit_aio_alone) = {
	.name = "exit-aio",
	.summary =
		"a process ends with an aio read in flight: it is stuck, and no zombie",
	.rows = "IO1.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = alone,
};

/* The case this program comes from. */
static void by_thread(void)
{
	struct thread *t;
	struct actor *p;
	int g = aio_gate(), r = gate();

	step("P: a read of the leader is in flight, T sleeps in D; P is killed");
	p = spawn("P");
	t = thread(p, "T");
	arm_exit(leader(p), g, IN_AIO);
	hold_read(t, r);
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_mm(): T has the address space yet");
	expect_state(t, 'D', "wait_event()");
	expect_in_flight(g, "exit_aio() has not run");

	step("T is released, and waits for the leader's read");
	expect_equal(release(r), 1, "threads released", "the gate held T");
	expect_asleep_in(t, "exit_aio", "mmput(): T is the last to let go");
	expect_state(t, 'D', "exit_aio(): wait_for_completion()");
	expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_no_event(p, WEXITED,
			"wait_consider_task(): delay_group_leader()");
	expect_no_wakeup(p->pidfd, "pidfd of P",
			 "pidfd_poll(): delayed leader");
	expect_verdict(p);

	step("the read ends: T goes, and P can be reaped");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
	expect_death(p, SIGKILL, "release_task(T): zap_leader");
}

SCENARIO(exit_aio_thread) = {
	.name = "exit-aio-thread",
	.summary =
		"a read of the leader is in flight, the last thread waits for it: a delayed leader",
	.rows = "IO1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = by_thread,
};

static void shared(void)
{
	struct actor *p, *e;
	int g = aio_gate();

	step("P has a read in flight, E shares its memory; P is killed: it dies");
	p = spawn("P");
	e = spawn_twin(leader(p), "E", 0, 0);
	arm_exit(leader(p), g, IN_AIO);
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL, "mmput(): E has the address space yet");
	expect_in_flight(g, "exit_aio() has not run");

	step("E is told to end: it waits for a read it knows nothing of");
	send_signal(e, SIGUSR1);
	expect_asleep_in(e->threads, "exit_aio", "mmput(): E is the last");
	expect_state(leader(e), 'D', "exit_aio(): wait_for_completion()");
	expect_no_sigchld(e, "exit_notify() has not run");
	expect_verdict(e);

	step("the read ends: E is dead");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
	expect_death(e, CODE(TWIN_STATUS), "do_group_exit()");
}

SCENARIO(exit_aio_shared) = {
	.name = "exit-aio-shared",
	.summary =
		"two processes share memory: the last to end waits for the aio read of the other",
	.rows = "IO1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = shared,
};

/* --- io_uring ----------------------------------------------------------- */

/* arg[0]: flags of the request */
static int64_t order_ring_read(const struct order *o)
{
	static char buffer[8];
	struct ring r;
	int err = ring_open(&r);

	if (err)
		return err;
	r.sqe->opcode = IORING_OP_READ;
	r.sqe->flags = (uint8_t)o->arg[0];
	r.sqe->fd = o->fd;
	r.sqe->addr = (uint64_t)(uintptr_t)buffer;
	r.sqe->len = sizeof(buffer);
	return ring_submit(&r);
}

/* @t has a read in flight at @gate_fd. */
static void ring_read(struct actor *p, int gate_fd, int flags)
{
	struct thread *t = leader(p);
	int64_t result = 0;
	int err = dev_enrol(gate_fd, t->tid);

	/* A request that a worker begins is the worker's. */
	if (!err)
		err = thread_tell(t, order_ring_read, gate_fd, flags, 0);
	if (!err)
		err = thread_result(t, AWAIT_MS, &result);
	if (err || (result < 0 && result != -ENOSYS && result != -EPERM))
		broken("%s cannot read by io_uring: %s", t->name,
		       strerror(err ? -err : (int)-result));
	if (result < 0)
		skip("no io_uring here: %s", strerror((int)-result));
	err = dev_await(gate_fd, 1, AWAIT_MS);
	if (err)
		broken("no read of %s is held: %s", t->name, strerror(-err));
}

static bool ring_worker(void *arg)
{
	struct snap *s = snap_live();
	char stack[4096];
	const pid_t *pids;
	bool found = false;
	int n = s ? snap_tasks(s, 0, &pids) : 0;

	(void)arg;
	for (int i = 0; i < n && !found; i++)
		found = proc_read(pids[i], 0, "stack", stack, sizeof(stack)) >
				0 &&
			strstr(stack, "io_ring_exit_work");
	snap_free(s);
	return found;
}

static void uring(void)
{
	struct actor *p;
	struct thread *t;
	int g = aio_gate(), r = gate();

	step("P has a request of io_uring in flight and calls exit_group(7): it dies");
	p = spawn("P");
	ring_read(p, g, 0);
	exit_group(leader(p), 7);
	expect_death(p, CODE(7),
		     "io_uring_files_cancel(): cancels what it can, awaits nothing");
	expect_gone(leader(p), "release_task()");
	expect_in_flight(g, "nobody has ended it");
	expect(await_true(ring_worker, NULL, AWAIT_MS),
	       "io_ring_ctx_wait_and_kill(): left to a kworker",
	       "a kernel thread in io_ring_exit_work(): %s",
	       ring_worker(NULL) ? "yes" : "no");
	expect_equal(release(g), 1, "reads ended", "the gate held it");

	step("a leader with a thread in D, killed: a delayed leader as any other");
	p = spawn("P");
	t = thread(p, "T");
	hold_read(t, r);
	ring_read(p, g, 0);
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
	expect_in_flight(g, "nobody has ended it");
	expect_equal(release(r), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL, "release_task(T): zap_leader");
	expect_in_flight(g, "T did not wait for it");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
}

SCENARIO(exit_uring) = {
	.name = "exit-io-uring",
	.summary =
		"a process ends with a request of io_uring in flight: it dies, the request lives on",
	.rows = "IO2.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = uring,
};

/* Two rings of all threads of a process: what is waited for, and a ring. */
static struct ring for_event, for_ring;

static int poll_by(struct ring *r, int fd)
{
	int err = ring_open(r);

	if (err || fd < 0)
		return err ? err : -EBADF;
	r->sqe->opcode = IORING_OP_POLL_ADD;
	r->sqe->fd = fd;
	r->sqe->poll_events = POLLIN;
	return ring_submit(r);
}

/* Neither comes. */
static int64_t order_ring_polls(const struct order *o)
{
	int err = poll_by(&for_event, eventfd(0, EFD_CLOEXEC));

	(void)o;
	return err ? err : poll_by(&for_ring, for_event.fd);
}

static int64_t order_of_event(const struct order *o)
{
	(void)o;
	return ring_result(&for_event);
}

static int64_t order_of_ring(const struct order *o)
{
	(void)o;
	return ring_result(&for_ring);
}

static bool ring_done(void *p)
{
	return ask(leader(p), order_of_ring, 0, 0) != -ENOMSG;
}

static void expect_result(struct actor *p, order_fn fn, int64_t wanted,
			  const char *why)
{
	expect_equal(ask(leader(p), fn, 0, 0), wanted,
		     fn == order_of_ring ? "the result of polling a ring" :
					   "the result of polling an eventfd",
		     why);
}

static void uring_thread(void)
{
	struct actor *p;
	struct thread *t;
	int64_t err;

	step("T, a thread of P, polls an eventfd and a ring by io_uring, in vain");
	p = spawn("P");
	t = thread(p, "T");
	err = ask(t, order_ring_polls, 0, 0);
	if (err)
		skip("no io_uring here: %s", strerror((int)-err));
	expect_result(p, order_of_event, -ENOMSG, "io_poll_add()");
	expect_result(p, order_of_ring, -ENOMSG, "io_poll_add()");

	step("T ends: what keeps a ring is cancelled, what does not is in flight");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	/* On 6.1 the ring has sometimes woken its own poll: POLLIN, not ECANCELED. */
	expect(await_true(ring_done, p, AWAIT_MS),
	       "do_exit(): io_uring_files_cancel(), REQ_F_INFLIGHT",
	       "the result of polling a ring: %lld (expected one)",
	       (long long)ask(leader(p), order_of_ring, 0, 0));
	expect_result(p, order_of_event, -ENOMSG,
		      "io_match_task_safe(): no REQ_F_INFLIGHT");
}

SCENARIO(exit_uring_thread) = {
	.name = "exit-io-uring-thread",
	.summary =
		"a thread's requests of io_uring outlive it, but for those that keep a ring",
	.needs = NEED_ROOT,
	.play = uring_thread,
};

static void uring_exec(void)
{
	struct actor *p;
	int g = aio_gate();

	step("P has a request of io_uring in flight and calls exec: that waits, in S");
	p = spawn("P");
	ring_read(p, g, 0);
	tell(leader(p), order_exec, 0, 0);
	expect_asleep_in(leader(p), "io_uring",
			 "io_uring_task_cancel(): every request");
	expect_state(leader(p), 'S',
		     "io_uring_cancel_generic(): TASK_INTERRUPTIBLE");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");

	step("the request ends: so does exec");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
	expect_execed(leader(p), "begin_new_exec()");

	step("the same and P is killed: that does not end it");
	ring_read(p, g, 0);
	tell(leader(p), order_exec, 0, 0);
	expect_asleep_in(leader(p), "io_uring", "io_uring_task_cancel()");
	send_signal(p, SIGKILL);
	expect_in_flight(g, "io_uring_cancel_generic(): deaf");
	expect_no_sigchld(p, "it does not get to do_exit()");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");
	expect_equal(release(g), 1, "reads ended", "the gate held it");
	expect_death(p, SIGKILL, "exec_mmap(): a fatal signal is pending");
}

SCENARIO(exec_uring) = {
	.name = "exec-io-uring",
	.summary =
		"exec waits for a request of io_uring in flight, and cannot be killed meanwhile",
	.rows = "IO2.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = uring_exec,
};
