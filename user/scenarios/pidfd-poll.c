// SPDX-License-Identifier: GPL-2.0
/*
 * When a pidfd is readable, for a process and for one thread: pidfd_poll() and
 * those who wake it. Who waits is blocked in poll(), and seen there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* poll(2) of the pidfd sent along, for events arg[0]. */
static int64_t order_poll(const struct order *o)
{
	struct pollfd p = { .fd = o->fd, .events = (short)o->arg[0] };

	return poll(&p, 1, -1) < 0 ? -errno : p.revents;
}

static bool in_poll(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;

	return !proc_status(t->actor->pid, t->tid, &st) && st.state == 'S' &&
	       proc_syscall(t->actor->pid, t->tid) == SYS_poll;
}

/* Somebody who polls @pidfd, and is asleep. */
static struct thread *poller(struct actor *r, const char *name, int pidfd)
{
	struct thread *t = thread(r, name);
	int err = thread_tell(t, order_poll, pidfd, POLLIN, 0);

	if (err)
		broken("%s takes no order: %d", name, err);
	expect(await_true(in_poll, t, AWAIT_MS) && !await_readable(t->cmd, 0),
	       "pidfd_poll(): no exit_state", "%s %d sleeps in poll()", name,
	       t->tid);
	return t;
}

static void expect_polls(struct thread *t, const char *why)
{
	bool asleep;

	barrier();
	asleep = await_true(in_poll, t, AWAIT_MS);
	expect(asleep && !await_readable(t->cmd, 0), why,
	       "%s %d, in poll(): %s", t->name, t->tid,
	       asleep ? "still asleep" : "returned, expected to sleep");
}

static void expect_polled(struct thread *t, const char *why)
{
	int64_t events = 0;
	int err = thread_result(t, AWAIT_MS, &events);

	expect(!err && events > 0 && events & POLLIN, why,
	       "%s %d, in poll(): %s, events %#llx (expected POLLIN)", t->name,
	       t->tid, err ? "still asleep" : "returned",
	       (unsigned long long)events);
}

/* 43f0df54c96f came with PIDFD_THREAD, in 6.9. */
static void expect_events(int pidfd, int wanted, const char *why)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int probe = pidfd_of(getpid(), PIDFD_THREAD);

	barrier();
	poll(&p, 1, 0);
	if (probe < 0)
		wanted &= ~POLLHUP;
	else
		close(probe);
	expect(p.revents == wanted, why, "poll(): events %#x (expected %#x)",
	       (unsigned int)p.revents, (unsigned int)wanted);
}

static int thread_pidfd(struct thread *t)
{
	int fd = pidfd_of(t->tid, PIDFD_THREAD);

	if (fd == -EINVAL)
		skip("no PIDFD_THREAD: commit 64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\"), 6.9");
	if (fd < 0)
		broken("pidfd_open(%s %d): %d", t->name, t->tid, fd);
	return fd;
}

static void process(void)
{
	struct actor *p, *r;
	struct thread *t, *a;

	step("P lives: R's thread A sleeps in poll(); the leader of P ends");
	r = spawn("R");
	p = spawn("P");
	t = thread(p, "T");
	a = poller(r, "A", p->pidfd);
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_polls(a, "exit_notify(): thread_group_empty() is false");
	expect_events(p->pidfd, 0, "pidfd_poll(): delay_group_leader()");
	fcntl(p->pidfd, F_SETFL, O_NONBLOCK);
	expect_wait(NULL, WHO(P_PIDFD, p->pidfd), WEXITED, -EAGAIN,
		    "kernel_waitid(): a non-blocking pidfd, delay_group_leader()");
	fcntl(p->pidfd, F_SETFL, 0);
	expect_wait(NULL, WHO(P_PIDFD, p->pidfd), WEXITED | WNOHANG, 0,
		    "wait_consider_task(): delay_group_leader()");

	step("T ends: A is woken; a zombie has its pid, and is no hang-up");
	exit_thread(t, 5);
	expect_polled(a, "do_notify_parent(): do_notify_pidfd()");
	expect_wait(NULL, WHO(P_PIDFD, p->pidfd), WEXITED | WNOWAIT,
		    WAITED(p->pid, CLD_EXITED, kernel_before(6, 0) ? 3 : 5),
		    "wait_task_zombie(): the group's code");
	expect_events(p->pidfd, POLLIN, "pidfd_poll(): exit_state");

	step("P is reaped: that is");
	reap(p);
	expect_events(p->pidfd, POLLIN | POLLHUP,
		      "pidfd_poll(): nobody has this pid");
}

static const char *const watches[] = {
	"b191d6491be6 (\"pidfd: fix a poll race when setting exit_state\")",
	"43f0df54c96f (\"pidfd_poll: report POLLHUP when pid_task() == NULL\")",
	NULL
};

SCENARIO(pidfd_poll) = {
	.name = "pidfd-poll",
	.summary =
		"poll() of a pidfd: alive, delayed leader, zombie, reaped; who sleeps is woken",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "PF1 PF2 NP7.1 A14 A15 A16 WC4",
	.play = process,
};

static void held(void)
{
	struct actor *p, *r;
	struct thread *t, *a;
	int g = gate();

	step("P, of one thread, is held in exit_files(): not dead yet");
	r = spawn("R");
	p = spawn("P");
	a = poller(r, "A", p->pidfd);
	hold_in_exit(leader(p), g, IN_FILES, 5);
	expect_polls(a, "pidfd_poll(): no exit_state");
	expect_events(p->pidfd, 0, "pidfd_poll(): no exit_state");
	expect_verdict(p);

	step("it is released");
	expect_equal(release(g), 1, "threads released", "the gate held P");
	expect_polled(a, "do_notify_parent(): do_notify_pidfd()");
	expect_events(p->pidfd, POLLIN, "pidfd_poll(): exit_state");
	reap(p);

	step("P is killed, its thread T is held there: nobody is woken");
	p = spawn("P");
	t = thread(p, "T");
	a = poller(r, "B", p->pidfd);
	hold_in_exit(t, g, IN_FILES, 5);
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_polls(a, "exit_notify(): thread_group_empty() is false");
	expect_events(p->pidfd, 0, "pidfd_poll(): delay_group_leader()");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_polled(a, "release_task(T): zap_leader, do_notify_pidfd()");
	reap(p);
}

SCENARIO(pidfd_poll_held) = {
	.name = "pidfd-poll-held",
	.summary =
		"poll() of the pidfd of a process that is held in exit: it sleeps on",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "PF2.2",
	.verdict = "stuck-in-exit",
	.play = held,
};

/* --- threads ------------------------------------------------------------ */

/*
 * The leader has ended, others live: its PIDFD_THREAD pidfd was readable then,
 * until commit 0fb482728ba1 ("pidfs: improve multi-threaded exec and premature
 * thread-group leader exit polling"), 6.15, which stable kernels may have too.
 */
static bool early(int pidfd)
{
	return kernel_before(6, 15) && await_readable(pidfd, 0);
}

static void threads(void)
{
	struct thread *t, *u, *a, *b;
	int lfd, tfd, ufd;
	struct actor *p, *r, *x;

	step("P: the leader and the threads T and U, each with a pidfd");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	lfd = thread_pidfd(leader(p));
	tfd = thread_pidfd(t);
	ufd = thread_pidfd(u);
	r = spawn("R");
	a = poller(r, "A", tfd);
	b = poller(r, "B", ufd);

	step("T ends: who polls for it is woken, who polls for U is not");
	exit_thread(t, 5);
	expect_polled(a, "exit_notify(): no leader, do_notify_pidfd()");
	expect_gone(t, "exit_notify(): autoreap");
	expect_events(tfd, POLLIN | POLLHUP,
		      "pidfd_poll(): nobody has this pid");
	expect_polls(b, "pidfd_poll(): U lives");
	expect_events(ufd, 0, "pidfd_poll(): U lives");
	expect_events(p->pidfd, 0, "pidfd_poll(): P lives");

	step("U is traced by X, and ends: a zombie, and its pidfd readable");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, u, 0);
	exit_thread(u, 5);
	expect_polled(b, "do_notify_parent(): do_notify_pidfd()");
	expect_state(u, 'Z', "exit_notify(): a traced thread is no autoreap");
	expect_events(ufd, POLLIN, "pidfd_poll(): exit_state, and no leader");

	step("the leader ends, U is still there: neither of its pidfds");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_events(p->pidfd, 0, "pidfd_poll(): delay_group_leader()");
	if (early(lfd))
		note("the leader's PIDFD_THREAD pidfd is readable: before commit 0fb482728ba1");
	else
		expect_events(lfd, 0, "pidfd_poll(): delay_group_leader()");

	step("X waits for U: now");
	expect_wait(leader(x), u->tid, WEXITED,
		    WAITED(u->tid, CLD_EXITED, kernel_before(6, 0) ? 5 : 3),
		    "wait_task_zombie(): the group's code");
	expect_gone(u, "release_task()");
	expect_events(ufd, POLLIN | POLLHUP,
		      "pidfd_poll(): nobody has this pid");
	expect_wakeup(lfd, "the leader's PIDFD_THREAD pidfd",
		      "release_task(U): zap_leader");
	expect_events(p->pidfd, POLLIN, "pidfd_poll(): exit_state");
	reap(p);
	expect_events(lfd, POLLIN | POLLHUP,
		      "pidfd_poll(): nobody has this pid");
}

static const char *const thread_watches[] = {
	"64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\")",
	"21e25205d7f9 (\"pidfd: don't do_notify_pidfd() if !thread_group_empty()\")",
	"0fb482728ba1 (\"pidfs: improve multi-threaded exec and premature thread-group leader exit polling\")",
	NULL
};

SCENARIO(pidfd_poll_threads) = {
	.name = "pidfd-poll-threads",
	.summary =
		"poll() of PIDFD_THREAD pidfds: of threads, of a traced one, of a dead leader",
	.needs = NEED_ROOT,
	.watches = thread_watches,
	.rows = "PF1 PF2 EN5.2 A16 A17",
	.play = threads,
};

/* T takes the place of the leader, whose pid it gets. */
static void takes_place(bool leader_first)
{
	struct thread *t, *a;
	struct actor *p, *r;
	int tfd;

	step("P: %s; A polls a pidfd of P",
	     leader_first ? "the leader has ended, T calls exec" :
			    "the leader lives, T calls exec");
	r = spawn("R");
	p = spawn("P");
	t = thread(p, "T");
	tfd = thread_pidfd(t);
	a = poller(r, "A", p->pidfd);
	if (leader_first) {
		exit_thread(leader(p), 3);
		expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	}
	tell(t, order_exec, 0, 0);
	expect_execed(t, "de_thread(): T is the leader now");
	expect_polls(a, "exchange_tids(): the pid is T's, and T lives");
	expect_events(p->pidfd, 0, "pidfd_poll(): T lives");
	expect_events(tfd, POLLIN | POLLHUP,
		      "release_task() of the old leader, which had T's tid");

	step("P is killed");
	send_signal(p, SIGKILL);
	expect_polled(a, "do_notify_parent(): do_notify_pidfd()");
	reap(p);
}

static void exec(void)
{
	takes_place(true);
	takes_place(false);
}

SCENARIO(pidfd_poll_exec) = {
	.name = "pidfd-poll-exec",
	.summary =
		"a thread calls exec: the pidfd of the process is silent, that of the thread hangs up",
	.needs = NEED_ROOT,
	.watches = thread_watches,
	.rows = "PF1 PF2 A17",
	.play = exec,
};
