// SPDX-License-Identifier: GPL-2.0
/*
 * Whose pidfd can be had, and what a signal through one reaches.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define SIGNAL_THREAD        (1U << 0)
#define SIGNAL_THREAD_GROUP  (1U << 1)
#define SIGNAL_PROCESS_GROUP (1U << 2)

#define BIT(sig) (1ULL << ((sig)-1))

static void expect_open(pid_t pid, unsigned int flags, int wanted,
			const char *what, const char *why)
{
	_cleanup_close_ int fd = pidfd_of(pid, flags);
	char text[96];

	snprintf(text, sizeof(text), "pidfd_open(%s)", what);
	expect_equal(fd < 0 ? fd : 0, wanted, text, why);
}

static bool has_thread_flag(void)
{
	_cleanup_close_ int fd = pidfd_of(getpid(), PIDFD_THREAD);

	return fd >= 0;
}

static void opened(void)
{
	/* Commit 17f1b08acf50. */
	int no_leader = kernel_before(6, 16) ? -EINVAL : -ENOENT;
	bool threads = has_thread_flag();
	struct actor *p;
	struct thread *t;

	step("P and its thread T, which is no process");
	p = spawn("P");
	t = thread(p, "T");
	expect_open(p->pid, 0, 0, "P", "pidfd_prepare()");
	expect_open(t->tid, 0, no_leader, "T",
		    "pidfd_prepare(): no PIDTYPE_TGID");
	expect_open(p->pid, 1, -EINVAL, "P, an odd flag", "pidfd_open()");
	expect_open(0, 0, -EINVAL, "0", "pidfd_open()");
	expect_open(-1, 0, -EINVAL, "-1", "pidfd_open()");
	expect_open(INT_MAX, 0, -ESRCH, "INT_MAX", "find_get_pid()");
	expect_open(t->tid, PIDFD_THREAD, threads ? 0 : -EINVAL,
		    "T, PIDFD_THREAD", "pidfd_prepare()");
	expect_open(p->pid, PIDFD_THREAD, threads ? 0 : -EINVAL,
		    "P, PIDFD_THREAD", "pidfd_prepare()");

	step("the leader ends: delayed, it has its pid");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_open(p->pid, 0, 0, "P", "pidfd_prepare(): not reaped");

	step("T ends: nobody has its tid; P is a zombie, and has its pid");
	exit_thread(t, 5);
	expect_gone(t, "exit_notify(): autoreap");
	expect_open(t->tid, 0, -ESRCH, "T", "pidfd_prepare(): nobody");
	expect_open(t->tid, PIDFD_THREAD, threads ? -ESRCH : -EINVAL,
		    "T, PIDFD_THREAD", "pidfd_prepare(): nobody");
	expect_open(p->pid, 0, 0, "P", "pidfd_prepare(): not reaped");
	reap(p);
	expect_open(p->pid, 0, -ESRCH, "P, reaped", "pidfd_prepare(): nobody");
}

static const char *const open_watches[] = {
	"64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\")",
	"17f1b08acf50 (\"pidfs: ensure consistent ENOENT/ESRCH reporting\")",
	NULL
};

SCENARIO(pidfd_open) = {
	.name = "pidfd-open",
	.summary =
		"pidfd_open() of a process, a thread, a dead leader, a zombie, of nobody",
	.needs = NEED_ROOT,
	.watches = open_watches,
	.rows = "PF7 A16 A18",
	.play = opened,
};

/* --- of a peer that is gone --------------------------------------------- */

/* A socket whose peer is who called: its number in P. */
static int64_t order_socket(const struct order *o)
{
	int pair[2];

	(void)o;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ?
		       -errno :
		       pair[0];
}

static int peer(int sock)
{
	socklen_t len = sizeof(int);
	int fd;

	return getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) < 0 ?
		       -errno :
		       fd;
}

static void stale(void)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };
	struct actor *p;
	int sock, fd;

	step("a socket of P, and by it a pidfd of P");
	p = spawn("P");
	fd = (int)ask(leader(p), order_socket, 0, 0);
	sock = fd < 0 ? fd : (int)syscall(SYS_pidfd_getfd, p->pidfd, fd, 0);
	if (sock < 0)
		broken("cannot get a socket of P: %m");
	fd = peer(sock);
	if (fd == -ENOPROTOOPT)
		skip("no SO_PEERPIDFD (6.5 has it)");
	expect(fd >= 0, "pidfd_prepare()", "SO_PEERPIDFD of P: %d", fd);
	close_fd(&fd);

	step("P ends: a zombie has its pid");
	exit_group(leader(p), 7);
	expect_wakeup(p->pidfd, "pidfd of P", "do_notify_pidfd()");
	fd = peer(sock);
	expect(fd >= 0, "pidfd_prepare()", "SO_PEERPIDFD of the zombie: %d",
	       fd);
	close_fd(&fd);

	step("P is reaped: the socket still has a pidfd, which tells the code");
	reap(p);
	fd = peer(sock);
	if (kernel_before(6, 16) && fd < 0) {
		expect(fd == -EINVAL || fd == -ESRCH,
		       "commit 477058411c45 (\"pidfs: register pid in pidfs\"), 6.16, is not there",
		       "SO_PEERPIDFD of the reaped: %d", fd);
		return;
	}
	expect(fd >= 0, "pidfd_prepare(): PIDFD_STALE, it was registered",
	       "SO_PEERPIDFD of the reaped: %d", fd);
	expect(!pidfd_details(fd, &d) && d.mask & PIDFD_INFO_EXIT_BIT &&
		       d.exit_code == 7 << 8,
	       "pidfs_exit()", "exit code by that pidfd: %#x",
	       (unsigned int)d.exit_code);
	close_fd(&fd);
}

SCENARIO(pidfd_stale) = {
	.name = "pidfd-stale",
	.summary =
		"the pidfd of a socket's peer that has been reaped: it tells the exit code",
	.needs = NEED_ROOT,
	.rows = "PF7.1 PF4.1",
	.play = stale,
};

/* --- signals ------------------------------------------------------------ */

static int send_by(int pidfd, int sig, unsigned int flags)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, flags) < 0 ?
		       -errno :
		       0;
}

/* By another, with the pidfd sent along: it ends in what it may see. */
static int64_t order_send(const struct order *o)
{
	return send_by(o->fd, (int)o->arg[0], 0);
}

static void expect_sent(int pidfd, int sig, unsigned int flags, int wanted,
			const char *what, const char *why)
{
	char text[96];

	snprintf(text, sizeof(text), "pidfd_send_signal(%s)", what);
	expect_equal(send_by(pidfd, sig, flags), wanted, text, why);
}

/* Blocked everywhere, it stays where it was sent to. */
static void expect_pending(struct thread *t, uint64_t thread, uint64_t group,
			   const char *why)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	expect(st.sigpnd == thread && st.shdpnd == group, why,
	       "pending for %s: %#llx, for its group: %#llx (expected %#llx, %#llx)",
	       t->name, (unsigned long long)st.sigpnd,
	       (unsigned long long)st.shdpnd, (unsigned long long)thread,
	       (unsigned long long)group);
}

static void to_process(void)
{
	struct actor *p, *i;
	struct thread *t;
	int64_t seen = 0;
	int err;

	step("P blocks SIGUSR1; a pidfd of P means the group");
	p = spawn("P");
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	t = thread(p, "T");
	expect_sent(p->pidfd, 0, 0, 0, "P, 0", "kill_pid_info_type()");
	expect_sent(p->pidfd, SIGUSR1, 1U << 30, -EINVAL, "P, an odd flag",
		    "pidfd_send_signal()");
	expect_sent(p->pidfd, SIGUSR1, 0, 0, "P, SIGUSR1",
		    "kill_pid_info_type(): PIDTYPE_TGID");
	expect_pending(leader(p), 0, BIT(SIGUSR1), "PIDTYPE_TGID");
	expect_pending(t, 0, BIT(SIGUSR1), "PIDTYPE_TGID");

	step("I, in a pid namespace of its own, has a pidfd of P, and no say");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	err = thread_tell(leader(i), order_send, p->pidfd, SIGKILL, 0);
	if (!err)
		err = thread_result(leader(i), AWAIT_MS, &seen);
	if (err)
		broken("I does not answer: %d", err);
	expect_equal(seen, -EINVAL, "pidfd_send_signal(P, SIGKILL) by I",
		     "access_pidfd_pidns()");
	expect_state(leader(p), 'S', "access_pidfd_pidns()");

	step("the leader ends: T gets what is sent to the delayed leader");
	ask(t, order_sigaction, SIGUSR2, DISPOSE_CATCH);
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_sent(p->pidfd, SIGUSR2, 0, 0, "P, SIGUSR2",
		    "complete_signal(): T wants it");
	expect_equal(ask(t, order_caught, SIGUSR2, 0), 1,
		     "times P caught SIGUSR2", "complete_signal()");

	step("SIGKILL ends P; a zombie can be sent a signal, the reaped cannot");
	expect_sent(p->pidfd, SIGKILL, 0, 0, "P, SIGKILL", "complete_signal()");
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_sent(p->pidfd, SIGTERM, 0, 0, "P, a zombie",
		    "kill_pid_info_type(): it has its pid");
	expect_wait(NULL, p->pid, WEXITED, WAITED(p->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): the code of the group");
	expect_sent(p->pidfd, 0, 0, -ESRCH, "P, reaped",
		    "kill_pid_info_type(): nobody has this pid");
}

SCENARIO(pidfd_signal) = {
	.name = "pidfd-signal",
	.summary =
		"a signal by pidfd: to a process, a delayed leader, a zombie, the reaped",
	.needs = NEED_ROOT,
	.rows = "A19",
	.play = to_process,
};

static void to_thread(void)
{
	int lfd, tfd;
	struct thread *t;
	struct actor *p;

	step("P and T block SIGUSR1; a PIDFD_THREAD pidfd means the thread");
	if (!has_thread_flag())
		skip("no PIDFD_THREAD: commit 64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\"), 6.9");
	p = spawn("P");
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR2);
	t = thread(p, "T");
	lfd = pidfd_of(p->pid, PIDFD_THREAD);
	tfd = pidfd_of(t->tid, PIDFD_THREAD);
	expect_sent(tfd, SIGUSR1, 0, 0, "T, SIGUSR1",
		    "pidfd_send_signal(): PIDTYPE_PID");
	expect_pending(t, BIT(SIGUSR1), 0, "PIDTYPE_PID");
	expect_pending(leader(p), 0, 0, "PIDTYPE_PID");
	expect_sent(lfd, SIGUSR2, 0, 0, "P's leader, SIGUSR2",
		    "pidfd_send_signal(): PIDTYPE_PID");
	expect_pending(leader(p), BIT(SIGUSR2), 0, "PIDTYPE_PID");

	step("unless a flag says otherwise");
	expect_sent(tfd, SIGUSR2, SIGNAL_THREAD_GROUP, 0,
		    "T, SIGUSR2, THREAD_GROUP",
		    "do_pidfd_send_signal(): PIDTYPE_TGID");
	expect_pending(t, BIT(SIGUSR1), BIT(SIGUSR2), "PIDTYPE_TGID");
	expect_sent(p->pidfd, SIGUSR1, SIGNAL_THREAD, 0, "P, SIGUSR1, THREAD",
		    "do_pidfd_send_signal(): PIDTYPE_PID");
	expect_pending(leader(p), BIT(SIGUSR1) | BIT(SIGUSR2), BIT(SIGUSR2),
		       "PIDTYPE_PID");
	expect_sent(p->pidfd, SIGUSR1, SIGNAL_THREAD | SIGNAL_THREAD_GROUP,
		    -EINVAL, "P, two flags", "pidfd_send_signal(): one scope");
	expect_sent(tfd, 0, SIGNAL_PROCESS_GROUP, -ESRCH, "T, PROCESS_GROUP",
		    "kill_pgrp_info(): T leads none");

	step("T ends: nobody to send to, P lives");
	exit_thread(t, 5);
	expect_gone(t, "exit_notify(): autoreap");
	expect_sent(tfd, 0, 0, -ESRCH, "T", "kill_pid_info_type(): nobody");
	expect_sent(lfd, 0, 0, 0, "P's leader", "kill_pid_info_type()");
}

static const char *const thread_watches[] = {
	"e1fb1dc08e73 (\"pidfd: allow to override signal scope in pidfd_send_signal()\")",
	NULL
};

SCENARIO(pidfd_signal_thread) = {
	.name = "pidfd-signal-thread",
	.summary =
		"a signal by a PIDFD_THREAD pidfd: to the thread, or what the flag says",
	.needs = NEED_ROOT,
	.watches = thread_watches,
	.rows = "A19",
	.play = to_thread,
};
