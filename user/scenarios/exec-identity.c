// SPDX-License-Identifier: GPL-2.0
/*
 * Who a process is after exec: whichever thread called it, the pid, the age, the
 * parent, the group and the session are those of before; the exit signal is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

static int64_t stat_field(struct thread *t, int n)
{
	int64_t value = -1;

	proc_stat_field(t->actor->pid, t->tid, n, &value);
	return value;
}

static bool pending(struct actor *p, int sig)
{
	struct proc_status st;

	if (proc_status(p->pid, 0, &st))
		broken("%s %d is gone", p->name, p->pid);
	return st.shdpnd >> (sig - 1) & 1;
}

/* --- the exit signal ---------------------------------------------------- */

static bool told(void *r)
{
	return ask(leader(r), order_caught, SIGUSR1, 0) +
		       ask(leader(r), order_caught, SIGCHLD, 0) >
	       0;
}

static void expect_told_by(struct actor *r, int sig, const char *why)
{
	await_true(told, r, AWAIT_MS);
	expect_equal(ask(leader(r), order_caught, SIGCHLD, 0), sig == SIGCHLD,
		     "times R caught SIGCHLD", why);
	expect_equal(ask(leader(r), order_caught, SIGUSR1, 0), sig == SIGUSR1,
		     "times R caught SIGUSR1", why);
}

static struct actor *catcher(void)
{
	struct actor *r = spawn("R");

	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	ask(leader(r), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	return r;
}

/* C, whose exit signal is SIGUSR1, and the thread of it that will exec. */
static struct thread *clone_child(struct actor *r, bool by_thread)
{
	struct actor *c = spawn_clone(r, "C", 0, SIGUSR1);
	struct thread *by = by_thread ? thread(c, "T") : leader(c);

	expect_wait(leader(r), c->pid, WEXITED | WNOHANG, -ECHILD,
		    "eligible_child(): its exit signal is not SIGCHLD");
	return by;
}

static void execed_child(bool by_thread)
{
	struct actor *r = catcher(), *c;
	struct thread *by = clone_child(r, by_thread);

	c = by->actor;
	tell(by, order_exec, 0, 0);
	expect_execed(by, "begin_new_exec()");
	begin_wait(leader(r), c->pid, WEXITED);
	exit_group(leader(c), 7);
	expect_wait_ends(leader(r), WAITED(c->pid, CLD_EXITED, 7),
			 "de_thread(): exit_signal is SIGCHLD again");
	expect_told_by(r, SIGCHLD, "de_thread(): exit_signal is SIGCHLD again");
}

static void exit_signal(void)
{
	struct thread *by;
	struct actor *r;

	step("C, made with the exit signal SIGUSR1, ends without exec: SIGUSR1");
	r = catcher();
	by = clone_child(r, false);
	exit_group(by, 5);
	expect_told_by(r, SIGUSR1, "do_notify_parent(): exit_signal");
	expect_wait(leader(r), by->actor->pid, WEXITED | (int)__WCLONE,
		    WAITED(by->actor->pid, CLD_EXITED, 5), "eligible_child()");

	step("C has one thread, calls exec and ends: SIGCHLD, and a plain wait");
	execed_child(false);
	step("the same by a thread of C that is not the leader");
	execed_child(true);
}

SCENARIO(exec_exit_signal) = {
	.name = "exec-exit-signal",
	.summary =
		"exec sets the exit signal to SIGCHLD, with one thread and with two",
	.rows = "DT1 DT9 A62",
	.play = exit_signal,
};

/* --- by the leader ------------------------------------------------------ */

static void by_leader(void)
{
	struct thread *t, *u, *only;
	struct actor *p;
	int g = gate();

	step("P: T sleeps in D, U is healthy; the leader calls exec");
	p = spawn("P");
	only = leader(p);
	t = thread(p, "T");
	u = thread(p, "U");
	hold_read(t, g);
	tell(leader(p), order_exec, 0, 0);
	expect_gone(u, "zap_other_threads()");
	expect_asleep_in(leader(p), "begin_new_exec",
			 "de_thread(): notify_count is 1, the leader not counted");
	expect_state(leader(p), 'D', "de_thread(): TASK_KILLABLE");
	expect_state(t, 'D', "wait_event()");
	expect_verdict(p);

	step("T is released: exec goes on");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_execed(leader(p), "__exit_signal(T): notify_count is 0");
	expect_gone(t, "zap_other_threads()");
	expect_tasks(p, &only, 1, "de_thread(): the group has one thread");
	expect_no_sigchld(p, "release_task(T): the leader is no zombie");
	exit_group(leader(p), 7);
	expect_death(p, 7 << 8, "do_group_exit()");
}

SCENARIO(exec_by_leader) = {
	.name = "exec-by-leader",
	.summary =
		"the leader calls exec, a thread is in D: exec waits for it, and for no one else",
	.rows = "DT3.2 RT5.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = by_leader,
};

/* --- by a thread: all that stays ---------------------------------------- */

/* The first terminal that the leader of a session opens is its own. */
static int64_t order_terminal(const struct order *o)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/pts/%d", (int)o->arg[0]);
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? -errno : 0;
}

static int64_t order_getpid(const struct order *o)
{
	(void)o;
	return getpid() == gettid() ? getpid() : -ESRCH;
}

/* The master of a terminal that is the session's of @p. */
static int give_terminal(struct actor *p)
{
	int nr, fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	if (fd < 0 || grantpt(fd) || unlockpt(fd) ||
	    ptsname_r(fd, name, sizeof(name)) ||
	    sscanf(name, "/dev/pts/%d", &nr) != 1)
		skip("no pseudo terminals here: %m");
	if (ask(leader(p), order_setsid, 0, 0) ||
	    ask(leader(p), order_terminal, nr, 0))
		broken("%s %d gets no terminal", p->name, p->pid);
	return fd;
}

/* The clock of /proc/PID/stat has gone on since the leader was made. */
static bool later(void *l)
{
	struct timespec now;
	int64_t hz = sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * hz + now.tv_nsec / (1000000000 / hz) >
	       stat_field(l, 22) + 1;
}

/**
 * struct who - what /proc says of a process
 * @ppid, @pgrp, @session, @started: fields of stat
 */
struct who {
	int64_t ppid, pgrp, session, started;
};

static struct who who(struct thread *t)
{
	return (struct who){
		.ppid = stat_field(t, 4),
		.pgrp = stat_field(t, 5),
		.session = stat_field(t, 6),
		.started = stat_field(t, 22),
	};
}

static void expect_same(struct thread *l, const struct who *before)
{
	struct who w = who(l);

	expect_equal(ask(l, order_getpid, 0, 0), l->actor->pid,
		     "getpid(), gettid()", "de_thread(): exchange_tids()");
	expect_equal(w.started, before->started, "start time",
		     "de_thread(): start_boottime of the old leader");
	expect_equal(w.ppid, before->ppid, "PPid", "real_parent stays");
	expect_equal(w.pgrp, before->pgrp, "process group",
		     "de_thread(): transfer_pid(PIDTYPE_PGID)");
	expect_equal(w.session, before->session, "session",
		     "de_thread(): transfer_pid(PIDTYPE_SID)");
}

/* Nobody has the tid of T any more. */
static void expect_no_tid(struct actor *p, pid_t tid, int pidfd)
{
	struct pollfd f = { .fd = pidfd, .events = POLLIN };
	long r = syscall(SYS_tgkill, p->pid, tid, 0);

	expect(r < 0 && errno == ESRCH, "release_task(): of the old leader",
	       "tgkill(P, %d): %s (expected ESRCH)", tid,
	       r < 0 ? strerrorname_np(errno) : "somebody is there");
	if (pidfd < 0) {
		note("this kernel has no pidfd of a thread (6.9 has it)");
		return;
	}
	poll(&f, 1, 0);
	expect(f.revents & POLLHUP, "pidfd_poll(): nobody has this pid",
	       "pidfd of T: events %#x (POLLHUP expected)",
	       (unsigned int)f.revents);
}

/* The children of R in the order of its list. */
static void expect_children(struct actor *r, struct actor *a, struct actor *p,
			    struct actor *b)
{
	char seen[64] = "", wanted[64];

	if (proc_read(r->pid, r->pid, "children", seen, sizeof(seen)) < 0) {
		note("no /proc/PID/task/TID/children: built without it");
		return;
	}
	snprintf(wanted, sizeof(wanted), "%d %d %d ", a->pid, p->pid, b->pid);
	expect(!strcmp(seen, wanted), "de_thread(): list_replace_init(sibling)",
	       "children of R: %s(expected %s)", seen, wanted);
}

static bool group_told(void *p)
{
	return pending(p, SIGUSR1);
}

static bool hung_up(void *p)
{
	return pending(p, SIGHUP);
}

static void identity(void)
{
	struct actor *r, *a, *p, *b;
	struct thread *w, *t;
	int pidfd, terminal;
	struct who before;
	pid_t tid;

	step("R has the children A, P, B; P has a session, a terminal, a thread T");
	r = spawn("R");
	w = thread(r, "W");
	a = spawn_by(r, "A");
	p = spawn_by(r, "P");
	b = spawn_by(r, "B");
	terminal = give_terminal(p);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGHUP);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	await_true(later, leader(p), AWAIT_MS);
	t = thread(p, "T");
	tid = t->tid;
	pidfd = pidfd_of(tid, PIDFD_THREAD);
	before = who(leader(p));
	expect(stat_field(t, 22) > before.started, "copy_process()",
	       "T is younger than the leader by %lld ticks",
	       (long long)(stat_field(t, 22) - before.started));
	begin_wait(w, p->pid, WEXITED);

	step("T calls exec: P is who it was, and T's tid is nobody's");
	tell(t, order_exec, 0, 0);
	expect_execed(t, "de_thread()");
	expect_same(leader(p), &before);
	expect_no_tid(p, tid, pidfd);
	expect_children(r, a, p, b);
	expect_wait_goes_on(w, "do_wait(): it has a child with that pid");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");

	step("a signal to its group and the end of its terminal reach it");
	if (kill(-p->pid, SIGUSR1) < 0)
		note("kill(-%d): %m", p->pid);
	expect(await_true(group_told, p, AWAIT_MS),
	       "de_thread(): transfer_pid(PIDTYPE_PGID)",
	       "SIGUSR1 to the group of P: %s",
	       pending(p, SIGUSR1) ? "pending" : "not seen");
	close(terminal);
	expect(await_true(hung_up, p, AWAIT_MS),
	       "tty_signal_session_leader(): transfer_pid(PIDTYPE_SID)",
	       "SIGHUP of its terminal: %s",
	       pending(p, SIGHUP) ? "pending" : "not seen");

	step("P ends: the wait for it that began before exec ends");
	exit_group(leader(p), 7);
	expect_wait_ends(w, WAITED(p->pid, CLD_EXITED, 7),
			 "do_notify_parent(): of the new leader");
}

SCENARIO(exec_identity) = {
	.name = "exec-identity",
	.summary =
		"a thread calls exec: pid, age, parent, group, session and terminal stay",
	.rows = "DT3.1 DT8 A63",
	.needs = NEED_ROOT,
	.play = identity,
};
