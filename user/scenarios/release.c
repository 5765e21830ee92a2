// SPDX-License-Identifier: GPL-2.0
/*
 * What release_task() does for whom: the last thread of a delayed leader takes
 * the leader along, or makes it known; a thread vanishes alone; and what is
 * the group's goes with the leader only.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

static const char *const delayed =
	"wait_consider_task(): delay_group_leader(), not to be reaped yet";

/* poll() of a pidfd says POLLHUP once nobody has that pid any more. */
static void expect_hangup(int pidfd, bool wanted, const char *why)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int probe = pidfd_of(getpid(), PIDFD_THREAD);

	poll(&p, 1, 0);
	if (probe < 0) {
		note("this kernel has no POLLHUP on a pidfd: commit 43f0df54c96f (\"pidfd_poll: report POLLHUP when pid_task() == NULL\"), 6.9");
		return;
	}
	close(probe);
	expect(!!(p.revents & POLLHUP) == wanted, why,
	       "pidfd: events %#x (POLLHUP expected: %d)",
	       (unsigned int)p.revents, wanted);
}

static void expect_threads(struct actor *p, int wanted)
{
	struct proc_status st;

	if (proc_status(p->pid, 0, &st))
		broken("%s %d is gone", p->name, p->pid);
	expect_equal(st.threads, wanted, "Threads",
		     "__unhash_process(): the released are not counted");
}

static void one_by_one(void)
{
	struct actor *p;
	struct thread *t, *u, *v;

	step("P: the leader L and the threads T, U, V; V ends, L lives");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	v = thread(p, "V");
	exit_thread(v, 9);
	expect_gone(v, "exit_notify(): autoreap, a thread reaps itself");
	expect_threads(p, 3);
	expect_no_sigchld(p, "release_task(V): the leader is no zombie");
	expect_state(leader(p), 'S', "recvmsg(): L is healthy");

	step("L ends, then T; U lives");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	exit_thread(t, 5);
	expect_gone(t, "exit_notify(): autoreap, a thread reaps itself");
	expect_threads(p, 2);
	expect_no_sigchld(p, "release_task(T): thread_group_empty() is false");
	expect_no_event(p, WEXITED, delayed);
	expect_no_wakeup(p->pidfd, "pidfd of P", delayed);

	step("U ends, the last one: the leader is announced");
	exit_thread(u, 7);
	expect_wakeup(p->pidfd, "pidfd of P",
		      "release_task(U): zap_leader, do_notify_parent()");
	expect_state(leader(p), 'Z', "do_notify_parent(): no autoreap");
	expect_hangup(p->pidfd, false, "pidfd_poll(): L is not released");
	reap(p);
	expect_gone(leader(p), "release_task(L)");
	expect_hangup(p->pidfd, true, "pidfd_poll(): nobody has this pid");
}

SCENARIO(release_threads) = {
	.name = "release-threads",
	.summary =
		"threads end one by one, the leader in between: only the last one counts",
	.rows = "EN5 EN6.2 EN8 RT1 RT3.2 PF1",
	.needs = NEED_ROOT,
	.play = one_by_one,
};

static void expect_exit_code(int pidfd, int wanted, const char *why)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	if (pidfd_details(pidfd, &d) || !(d.mask & PIDFD_INFO_EXIT_BIT))
		note("this kernel does not tell the exit code (6.15 has it)");
	else
		expect_equal(d.exit_code, wanted, "exit code by PIDFD_GET_INFO",
			     why);
}

/* P is delayed; its last thread takes it along. */
static void takes_along(struct actor *r, struct actor *p)
{
	struct thread *t = thread(p, "T");

	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z',
		     "exit_notify(): thread_group_empty() is false, no autoreap");
	expect_no_wakeup(p->pidfd, "pidfd of P", delayed);

	step("T ends: the leader goes with it");
	exit_thread(t, 5);
	expect_wakeup(p->pidfd, "pidfd of P", "do_notify_pidfd()");
	expect_gone(leader(p),
		    "release_task(T): zap_leader, do_notify_parent() is true");
	expect_gone(t, "release_task()");
	expect_wait(leader(r), p->pid, WEXITED | __WALL, -ECHILD,
		    "release_task(L): nothing is left to wait for");
	expect_hangup(p->pidfd, true, "pidfd_poll(): nobody has this pid");
	expect_exit_code(p->pidfd, 5 << 8, "pidfs_exit(): the group's code");
}

static void leader_ignored(void)
{
	struct actor *r;

	step("P, whose parent R ignores SIGCHLD: the leader ends by SYS_exit(3)");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	takes_along(r, spawn_by(r, "P"));
}

SCENARIO(release_leader_ignored) = {
	.name = "release-leader-ignored",
	.summary =
		"a delayed leader whose parent ignores SIGCHLD: it goes with its last thread",
	.rows = "RT3.1",
	.needs = NEED_ROOT,
	.play = leader_ignored,
};

static void leader_autoreap(void)
{
	struct actor *r;

	step("P, cloned with CLONE_AUTOREAP: the leader ends by SYS_exit(3)");
	r = spawn("R");
	takes_along(r, spawn_clone(r, "P", CLONE_AUTOREAP, 0));
}

static const char *const autoreap_watches[] = {
	"12ae2c81b21c (\"clone: add CLONE_AUTOREAP\")", NULL
};

SCENARIO(release_leader_autoreap) = {
	.name = "release-leader-autoreap",
	.summary =
		"a delayed leader with CLONE_AUTOREAP: it goes with its last thread",
	.rows = "RT3.1 NP5.1",
	.needs = NEED_ROOT,
	.watches = autoreap_watches,
	.play = leader_autoreap,
};

static void expect_group(struct actor *p, bool there, const char *why)
{
	bool group = !kill(-p->pid, 0);
	bool id = getpgid(p->pid) == p->pid && getsid(p->pid) == p->pid;

	expect(group == there && id == there, why,
	       "process group and session %d: %s and %s (expected %s)", p->pid,
	       group ? "there" : "gone", id ? "there" : "gone",
	       there ? "there" : "gone");
}

static void groups(void)
{
	struct actor *p;
	struct thread *t;

	step("P: leader of a session and of a process group; its thread T ends");
	p = spawn("P");
	t = thread(p, "T");
	expect_equal(ask(leader(p), order_setsid, 0, 0), 0, "setsid()",
		     "ksys_setsid()");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_no_sigchld(p,
			  "release_task(T): the only one left, but no zombie");
	expect_no_event(p, WEXITED, "wait_consider_task(): no exit_state");
	expect_group(p, true, "__unhash_process(): T is no group_dead");

	step("the leader ends: a zombie is a member of its group");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_group(p, true, "release_task(L) has not run");

	step("it is reaped");
	reap(p);
	expect_group(p, false,
		     "__unhash_process(): group_dead, tgid, pgid and sid go");
}

SCENARIO(release_groups) = {
	.name = "release-groups",
	.summary =
		"process group and session stay as long as their leader is a zombie",
	.rows = "RT1.2 RT4",
	.needs = NEED_ROOT,
	.play = groups,
};

static void signal_target(void)
{
	struct actor *p;
	struct thread *t, *u;

	step("P: SIGUSR1 is blocked in the leader and in U, so T takes it");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	ask(leader(p), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(u, order_sigmask, SIG_BLOCK, SIGUSR1);
	send_signal(p, SIGUSR1);
	expect_caught(leader(p), SIGUSR1, 1,
		      "complete_signal(): curr_target is T now");

	step("T ends; the next SIGUSR1 comes when nobody wants it");
	exit_thread(t, 5);
	expect_gone(t, "__exit_signal(): curr_target moves on");
	send_signal(p, SIGUSR1);

	step("U wants it: U takes it, and one more");
	ask(u, order_sigmask, SIG_UNBLOCK, SIGUSR1);
	expect_caught(leader(p), SIGUSR1, 2,
		      "complete_signal(): comes to its end without a target");
	send_signal(p, SIGUSR1);
	expect_caught(leader(p), SIGUSR1, 3,
		      "complete_signal(): starts at curr_target");
}

SCENARIO(release_signal_target) = {
	.name = "release-signal-target",
	.summary =
		"the thread that took the last signal ends: the next signal finds another",
	.rows = "RT6",
	.needs = NEED_ROOT,
	.play = signal_target,
};

/* A pidfd of arg[0], polled for nothing: what comes all the same. */
static int64_t order_poll(const struct order *o)
{
	struct pollfd p = { .fd = pidfd_of((pid_t)o->arg[0], 0) };
	int n;

	if (p.fd < 0)
		return p.fd;
	n = poll(&p, 1, -1);
	close(p.fd);
	return n < 0 ? -errno : p.revents;
}

static bool asleep_in_poll(void *t)
{
	struct thread *poller = t;

	return proc_syscall(poller->actor->pid, poller->tid) == SYS_poll;
}

static void polled_for_nothing(void)
{
	int probe = pidfd_of(getpid(), PIDFD_THREAD);
	struct actor *r, *c;
	int64_t result = 0;
	int err;

	if (probe < 0)
		skip("no POLLHUP on a pidfd: commit 43f0df54c96f (\"pidfd_poll: report POLLHUP when pid_task() == NULL\"), 6.9");
	close(probe);
	step("R polls a pidfd of C, for no event at all");
	r = spawn("R");
	c = spawn("C");
	tell(leader(r), order_poll, c->pid, 0);
	expect(await_true(asleep_in_poll, leader(r), AWAIT_MS), "do_sys_poll()",
	       "R is in poll()");

	step("C ends: that is POLLIN, which R does not want");
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_pidfd()");
	barrier();
	expect_state(leader(r), 'S', "do_poll(): nothing wanted, sleeps again");
	err = thread_result(leader(r), 0, &result);
	expect_equal(err, -ETIMEDOUT, "poll() in R: no reply",
		     "pidfd_poll(): a zombie has its pid");

	step("C is reaped: POLLHUP needs no asking for");
	reap(c);
	err = thread_result(leader(r), AWAIT_MS, &result);
	expect(!err && result & POLLHUP,
	       "__unhash_process(): wakes wait_pidfd when nobody has the pid",
	       "poll() in R: %s, events %#llx", err ? "no reply" : "returned",
	       (unsigned long long)result);
}

static const char *const poll_watches[] = {
	"43f0df54c96f (\"pidfd_poll: report POLLHUP when pid_task() == NULL\")",
	"35c9701ea717 (\"exit: move wake_up_all() pidfd waiters into __unhash_process()\")",
	NULL
};

SCENARIO(release_wakes_poll) = {
	.name = "release-wakes-poll",
	.summary =
		"a pidfd polled for no event: silent at death, POLLHUP at the reaping",
	.rows = "RT7",
	.needs = NEED_ROOT,
	.watches = poll_watches,
	.play = polled_for_nothing,
};

struct adopter {
	const char *what;
	int how; /* DISPOSE_* */
	bool autoreap, caught;
};

static bool chld_caught(void *s)
{
	return ask(s, order_caught, SIGCHLD, 0) > 0;
}

/* R dies with C, its zombie; S adopts C. R is S's child too. */
static void zombie_adopted(const struct adopter *a)
{
	struct actor *s, *r, *c;

	step("C is a zombie of R; SIGCHLD of the adopter S: %s", a->what);
	s = spawn("S");
	ask(leader(s), order_prctl, PR_SET_CHILD_SUBREAPER, 1);
	ask(leader(s), order_sigaction, SIGCHLD, a->how);
	r = spawn_by(s, "R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_DEFAULT);
	c = spawn_by(r, "C");
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");

	step("R is killed");
	send_signal(r, SIGKILL);
	expect_wakeup(r->pidfd, "pidfd of R", "do_notify_pidfd()");
	if (a->autoreap) {
		expect_gone(leader(c),
			    "reparent_leader(): on the dead list, exit_notify() releases it");
		expect_wait(leader(s), 0, WEXITED, -ECHILD,
			    "neither C nor R is left");
	} else {
		expect_state(leader(c), 'Z', "reparent_leader(): told of it");
		expect_wait(leader(s), c->pid, WEXITED,
			    WAITED(c->pid, CLD_EXITED, 7),
			    "exit_notify(): the dead list is empty");
	}
	if (a->caught)
		await_true(chld_caught, leader(s), AWAIT_MS);
	expect_equal(ask(leader(s), order_caught, SIGCHLD, 0) > 0, a->caught,
		     "S caught SIGCHLD",
		     "do_notify_parent(): SA_NOCLDWAIT does not stop the signal");
}

static void dead_list(void)
{
	static const struct adopter adopters[] = {
		{ "default", DISPOSE_DEFAULT, false, false },
		{ "ignored", DISPOSE_IGNORE, true, false },
		{ "caught with SA_NOCLDWAIT", DISPOSE_CATCH_NOCLDWAIT, true,
		  true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(adopters); i++)
		zombie_adopted(&adopters[i]);
}

SCENARIO(adopted_zombie) = {
	.name = "zombie-adopted",
	.summary =
		"the parent of a zombie dies, the adopter ignores SIGCHLD or not: gone or not",
	.rows = "EN10 RL3.1",
	.needs = NEED_ROOT,
	.play = dead_list,
};
