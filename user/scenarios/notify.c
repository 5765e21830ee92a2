// SPDX-License-Identifier: GPL-2.0
/*
 * Whom do_notify_parent() tells, and by which signal: the parent or a tracer,
 * by the exit signal or by SIGCHLD, and from whom the siginfo says it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../core/util.h"
#include "../scenario.h"

#define BIT(sig) (1ULL << ((sig)-1))

/* Blocked, a signal stays pending, where /proc shows it; exec keeps it so. */
static void block_both(struct actor *r)
{
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGUSR1);
}

static uint64_t pending(struct actor *r)
{
	struct proc_status st;

	if (proc_status(r->pid, 0, &st))
		broken("%s %d is gone", r->name, r->pid);
	return st.shdpnd & (BIT(SIGCHLD) | BIT(SIGUSR1));
}

static void expect_told(struct actor *r, uint64_t wanted, const char *why)
{
	uint64_t seen;

	barrier();
	seen = pending(r);
	expect(seen == wanted, why,
	       "pending for %s: SIGCHLD %s, SIGUSR1 %s (expected %s, %s)",
	       r->name, seen & BIT(SIGCHLD) ? "yes" : "no",
	       seen & BIT(SIGUSR1) ? "yes" : "no",
	       wanted & BIT(SIGCHLD) ? "yes" : "no",
	       wanted & BIT(SIGUSR1) ? "yes" : "no");
}

/* R forks C with an exit signal of its own, and perhaps calls exec. */
static void child_of(int exit_signal, bool exec, uint64_t told, const char *why)
{
	struct actor *r, *c;

	step("C has exit signal %s; its parent R %s; C ends",
	     exit_signal ? "SIGUSR1" : "0", exec ? "calls exec" : "does not");
	r = spawn("R");
	block_both(r);
	c = spawn_clone(r, "C", 0, exit_signal);
	if (exec) {
		tell(leader(r), order_exec, 0, 0);
		expect_execed(leader(r), "begin_new_exec(): self_exec_id + 1");
	}
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): no autoreap");
	expect_told(r, told, why);
	expect_wait(leader(r), c->pid, WEXITED | __WALL,
		    WAITED(c->pid, CLD_EXITED, 7), "wait_task_zombie()");
}

static void parent_execs(void)
{
	const char *own = "do_notify_parent(): exit_signal";
	const char *forced =
		"do_notify_parent(): parent_exec_id is not the parent's: SIGCHLD";

	child_of(SIGUSR1, false, BIT(SIGUSR1), own);
	child_of(0, false, 0, own);
	child_of(SIGUSR1, true, BIT(SIGCHLD), forced);
	child_of(0, true, BIT(SIGCHLD), forced);
}

SCENARIO(exit_signal_exec) = {
	.name = "exit-signal-exec",
	.summary =
		"a parent that has called exec gets SIGCHLD, whatever the exit signal was",
	.rows = "NP1 NP6",
	.needs = NEED_ROOT,
	.play = parent_execs,
};

static void ignored(void)
{
	struct actor *r, *c;

	step("R ignores SIGUSR1, the exit signal of C, and SIGCHLD; C ends");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGUSR1, DISPOSE_IGNORE);
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = spawn_clone(r, "C", 0, SIGUSR1);
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_pidfd()");
	expect_state(leader(c), 'Z',
		     "do_notify_parent(): autoreap is for exit signal SIGCHLD");
	expect_wait(leader(r), c->pid, WEXITED | __WCLONE,
		    WAITED(c->pid, CLD_EXITED, 7), "wait_task_zombie()");

	step("an ordinary child D ends: no zombie");
	c = spawn_by(r, "D");
	exit_group(leader(c), 5);
	expect_gone(leader(c), "do_notify_parent(): SIG_IGN is autoreap");
}

SCENARIO(exit_signal_ignored) = {
	.name = "exit-signal-ignored",
	.summary =
		"ignoring another exit signal than SIGCHLD does not reap: a zombie",
	.rows = "NP3",
	.needs = NEED_ROOT,
	.play = ignored,
};

/* --- a tracer ----------------------------------------------------------- */

static struct actor *traced_child(struct actor *r, struct actor *x)
{
	struct actor *c = spawn_clone(r, "C", 0, SIGUSR1);

	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	return c;
}

static void traced(void)
{
	const char *group =
		"exit_notify(): thread_group_empty() is false: SIGCHLD";
	struct actor *r, *x, *c;
	struct thread *t;

	step("C, with exit signal SIGUSR1, is traced by its parent R; C ends");
	r = spawn("R");
	block_both(r);
	c = traced_child(r, r);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "do_notify_parent(): traced, no autoreap");
	expect_told(r, BIT(SIGUSR1),
		    "exit_notify(): not reparented by ptrace: exit_signal");

	step("an ordinary child D of R, who traces it and ignores SIGCHLD");
	r = spawn("R");
	c = spawn_by(r, "D");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	trace(leader(r), PTRACE_SEIZE, leader(c), 0);
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of D", "do_notify_pidfd()");
	barrier();
	expect_state(leader(c), 'Z', "do_notify_parent(): traced, no autoreap");
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");

	step("C again, traced by X: X gets SIGCHLD, R nothing");
	r = spawn("R");
	x = spawn("X");
	block_both(r);
	block_both(x);
	c = traced_child(r, x);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "do_notify_parent(): traced, no autoreap");
	expect_told(x, BIT(SIGCHLD), "exit_notify(): ptrace_reparented()");
	expect_told(r, 0, "do_notify_parent(): told tsk->parent, the tracer");
	expect_wait(leader(r), c->pid, WEXITED | WNOHANG | __WALL, 0,
		    "wait_consider_task(): a zombie that is traced");

	step("X waits: now R is told");
	expect_wait(leader(x), c->pid, WEXITED | __WALL,
		    WAITED(c->pid, CLD_EXITED, 7), "wait_task_zombie()");
	expect_told(r, BIT(SIGUSR1),
		    "wait_task_zombie(): EXIT_TRACE, do_notify_parent()");
	expect_wait(leader(r), c->pid, WEXITED | __WALL,
		    WAITED(c->pid, CLD_EXITED, 7), "wait_task_zombie()");

	step("a leader traced by its parent R ends, its thread T lives: SIGCHLD");
	r = spawn("R");
	block_both(r);
	c = traced_child(r, r);
	t = thread(c, "T");
	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_told(r, BIT(SIGCHLD), group);

	step("T is not traced: it ends without a word; then the leader is told of");
	ask(leader(r), order_sigmask, SIG_UNBLOCK, SIGCHLD);
	expect_told(r, 0, "get_signal(): SIGCHLD by default is dropped");
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	exit_thread(t, 5);
	expect_gone(t, "exit_notify(): no leader, not traced: autoreap");
	expect_told(r, BIT(SIGUSR1),
		    "release_task(T): zap_leader, do_notify_parent(exit_signal)");
}

SCENARIO(notify_tracer) = {
	.name = "notify-tracer",
	.summary =
		"a traced process ends: its tracer is told first, and by which signal",
	.rows = "EN2.1 EN3 EN4.2 NP3.2",
	.needs = NEED_ROOT,
	.play = traced,
};

static void traced_thread(void)
{
	struct actor *p, *x;
	struct thread *t, *u;

	step("X traces T, a thread of P, and not U; U ends");
	x = spawn("X");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	block_both(x);
	trace(leader(x), PTRACE_SEIZE, t, 0);
	exit_thread(u, 9);
	expect_gone(u, "exit_notify(): autoreap, a thread reaps itself");
	expect_told(x, 0, "exit_notify(): U is not traced");

	step("T ends: a zombie thread, X is told");
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): traced, no autoreap");
	expect_told(x, BIT(SIGCHLD), "exit_notify(): tsk->ptrace: SIGCHLD");

	step("the leader ends: delayed by a thread that is dead");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_no_event(p, WEXITED,
			"wait_consider_task(): delay_group_leader()");

	step("X waits for T: the leader can be reaped");
	expect_wait(leader(x), t->tid, WEXITED | __WALL,
		    WAITED(t->tid, CLD_EXITED, kernel_before(6, 0) ? 5 : 3),
		    "wait_task_zombie(): the group's code");
	expect_gone(t, "wait_task_zombie(): EXIT_DEAD, release_task(T)");
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	reap(p);
}

SCENARIO(notify_tracer_thread) = {
	.name = "notify-tracer-thread",
	.summary =
		"a traced thread ends: a zombie until the tracer waits, and its leader with it",
	.rows = "EN2 EN5.2 EN8",
	.needs = NEED_ROOT,
	.verdict = "tracer-holds",
	.play = traced_thread,
};

/* --- from whom ---------------------------------------------------------- */

/* The blocked SIGCHLD that is pending: its si_pid and si_uid. */
static int64_t order_sender(const struct order *o)
{
	const struct timespec now = { 0 };
	siginfo_t si;
	sigset_t set;

	(void)o;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigtimedwait(&set, &si, &now) < 0)
		return -errno;
	return (int64_t)si.si_pid << 32 | si.si_uid;
}

static int64_t put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -errno : 0;
}

/* In a user namespace of our own, where we are user 5. */
static int64_t order_be_five(const struct order *o)
{
	(void)o;
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return put("/proc/self/uid_map", "5 0 1");
}

static void expect_told_by(struct actor *r, pid_t pid, uid_t uid,
			   const char *why)
{
	int64_t seen;

	await_pending(r, SIGCHLD);
	seen = ask(leader(r), order_sender, 0, 0);
	expect(seen >> 32 == pid && (uid_t)seen == uid, why,
	       "SIGCHLD of %s: si_pid %lld, si_uid %u (expected %d, %u)",
	       r->name, (long long)(seen >> 32), (uid_t)seen, pid, uid);
}

/* C, whom R knows by the number @pid and as user @uid. */
static void expect_sender(struct actor *r, struct actor *c, pid_t pid,
			  uid_t uid, const char *why)
{
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_told_by(r, pid, uid, why);
	expect_wait(leader(r), pid, WEXITED, WAITED(pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
}

static void sender(void)
{
	const char *why =
		"do_notify_parent(): the child's uid, in the parent's user namespace";
	struct actor *r, *c, *d;

	step("the children of R are user 0, and user 60123");
	r = spawn("R");
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	c = spawn_by(r, "C");
	expect_sender(r, c, c->pid, 0, why);
	c = spawn_by(r, "C");
	ask(leader(c), order_setuid, 60123, 0);
	send_signal(c, SIGSTOP);
	expect_state(leader(c), 'T', "do_signal_stop()");
	expect_told_by(r, c->pid, 60123, "do_notify_parent_cldstop()");
	send_signal(c, SIGCONT);
	expect_state(leader(c), 'S', "prepare_signal()");
	barrier();
	expect_told_by(r, c->pid, 60123, "do_notify_parent_cldstop()");
	expect_sender(r, c, c->pid, 60123, why);

	step("R goes into a user namespace where 0 is called 5");
	c = spawn_by(r, "C");
	d = spawn_by(r, "D");
	ask(leader(d), order_setuid, 60123, 0);
	if (ask(leader(r), order_be_five, 0, 0) < 0)
		skip("no user namespaces here");
	expect_sender(r, c, c->pid, 5, why);
	expect_sender(r, d, d->pid, 65534,
		      "from_kuid_munged(): 60123 has no name there");
}

SCENARIO(notify_uid) = {
	.name = "notify-uid",
	.summary =
		"the uid in SIGCHLD: that of the child, as the parent's namespace calls it",
	.rows = "NP9.1",
	.needs = NEED_ROOT,
	.play = sender,
};

/* arg[0]: whose pid namespace the children shall be in from now on. */
static int64_t order_join_pids(const struct order *o)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)o->arg[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || setns(fd, CLONE_NEWPID) < 0 ? -errno : 0;
}

static int64_t order_own_pid(const struct order *o)
{
	(void)o;
	return getpid();
}

static void namespaces(void)
{
	const char *why =
		"do_notify_parent(): task_pid_nr_ns() in the parent's pid namespace";
	struct actor *r, *i, *j, *c;

	step("C is a child of I, the init of a pid namespace: it is 2 there");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	ask(leader(i), order_sigmask, SIG_BLOCK, SIGCHLD);
	c = spawn_by(i, "C");
	expect_equal(ask(leader(c), order_own_pid, 0, 0), 2, "getpid() in C",
		     "alloc_pid(): a number in each namespace");
	expect_sender(i, c, 2, 0, why);

	step("D is in that namespace, its parent R is not");
	r = spawn("R");
	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	expect_equal(ask(leader(r), order_join_pids, i->pid, 0), 0,
		     "setns() in R", "pidns_install()");
	c = spawn_by(r, "D");
	expect_equal(ask(leader(c), order_own_pid, 0, 0), 3, "getpid() in D",
		     "alloc_pid(): a number in each namespace");
	expect_sender(r, c, c->pid, 0, why);

	step("a parent is never where its child has no number");
	j = spawn_clone(NULL, "J", CLONE_NEWPID, SIGCHLD);
	c = spawn_by(i, "E");
	why = "pidns_install(): none but the caller's own and those in it";
	expect_equal(ask(leader(c), order_join_pids, j->pid, 0), -EINVAL,
		     "setns() in E to the namespace beside its own", why);
	expect_equal(ask(leader(c), order_join_pids, r->pid, 0), -EINVAL,
		     "setns() in E to the namespace around its own", why);
}

SCENARIO(notify_pid) = {
	.name = "notify-pid",
	.summary =
		"the pid in SIGCHLD: the number of the child where its parent is",
	.rows = "NP9.1",
	.needs = NEED_ROOT,
	.play = namespaces,
};
