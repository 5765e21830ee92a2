// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that has called SYS_exit and has not got as far as PF_EXITING: it
 * still counts when a signal looks for somebody, or a stop for its last one.
 * exit_signals() hands both on. seccomp holds it there; with the first signal,
 * if not before, its sleep is a killable one.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../scenario.h"

/* Commit c2aa2dfef243 ("seccomp: Add wait_killable semantic to seccomp user
 * notifier"), 5.19.
 */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* SYS_exit of this thread asks first, whoever has the fd that is returned. */
static int64_t order_ask_to_exit(const struct order *o)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };
	long fd;

	(void)o;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER |
			     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		     &filter);
	return fd < 0 ? -errno : fd;
}

/**
 * struct asker - a thread that is held at the entry of SYS_exit
 * @fd: where to answer
 * @id: what to answer
 */
struct asker {
	int fd;
	uint64_t id;
};

static struct asker hold_at_entry(struct thread *t, int status)
{
	struct seccomp_notif n = { 0 };
	int64_t fd = ask(t, order_ask_to_exit, 0, 0);
	struct asker a;

	if (fd == -EINVAL || fd == -ENOSYS)
		skip("seccomp has no SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (5.19 has it)");
	a.fd = fd < 0 ? (int)fd :
			(int)syscall(SYS_pidfd_getfd, t->actor->pidfd, fd, 0);
	exit_thread(t, status);
	if (a.fd < 0 || !await_readable(a.fd, AWAIT_MS) ||
	    ioctl(a.fd, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
		broken("cannot hold %s %d by seccomp: %lld %m", t->name, t->tid,
		       (long long)fd);
	a.id = n.id;
	return a;
}

static void let_exit(struct asker *a)
{
	struct seccomp_notif_resp r = {
		.id = a->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	if (ioctl(a->fd, SECCOMP_IOCTL_NOTIF_SEND, &r) < 0)
		broken("cannot answer seccomp: %m");
	close(a->fd);
}

static bool caught(void *l)
{
	return ask(l, order_caught, SIGUSR1, 0) > 0;
}

static bool caught_again(void *l)
{
	return ask(l, order_caught, SIGUSR1, 0) > 1;
}

static void retarget(void)
{
	struct actor *p;
	struct thread *t, *u;
	struct asker a;

	step("P: SIGUSR1 is blocked in the leader and in U, so T takes it");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	ask(leader(p), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	ask(u, order_sigmask, SIG_BLOCK, SIGUSR1);
	send_signal(p, SIGUSR1);
	expect(await_true(caught, leader(p), AWAIT_MS),
	       "complete_signal(): curr_target is T now",
	       "times P caught SIGUSR1: 1");

	step("T calls SYS_exit and is held; U would take SIGUSR1 too, T is asked");
	ask(u, order_sigmask, SIG_UNBLOCK, SIGUSR1);
	a = hold_at_entry(t, 5);
	send_signal(p, SIGUSR1);
	expect_state(t, 'D', "seccomp_do_user_notification(): TASK_KILLABLE");
	expect_equal(ask(leader(p), order_caught, SIGUSR1, 0), 1,
		     "times P caught SIGUSR1",
		     "complete_signal(): starts at curr_target, wakes nobody else");

	step("T goes on into do_exit(): U takes the signal");
	let_exit(&a);
	expect_gone(t, "release_task()");
	expect(await_true(caught_again, leader(p), AWAIT_MS),
	       "exit_signals(): retarget_shared_pending()",
	       "times P caught SIGUSR1: %lld (expected 2)",
	       (long long)ask(leader(p), order_caught, SIGUSR1, 0));
	expect_no_sigchld(p, "exit_signals(): there is no stop to tell of");
	expect_no_event(p, WSTOPPED, "exit_signals(): there is no stop");

	step("SIGCONT: there is no stop that it would end");
	send_signal(p, SIGCONT);
	expect_equal(ask(leader(p), order_getppid, 0, 0), getpid(),
		     "getppid() of P", "it has been through get_signal()");
	expect_no_event(p, WCONTINUED,
			"exit_signals(): no SIGNAL_STOP_STOPPED");
}

SCENARIO(exit_retargets) = {
	.name = "exit-retargets",
	.summary =
		"a thread ends that was to take a signal: another one takes it",
	.rows = "ES1.1 ES2.2",
	.needs = NEED_ROOT,
	.play = retarget,
};

static void stop(void)
{
	siginfo_t si = { 0 };
	struct actor *p;
	struct thread *t, *u;
	struct asker a, b;

	step("P: T and U call SYS_exit and are held before do_exit()");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	a = hold_at_entry(t, 5);
	b = hold_at_entry(u, 6);

	step("SIGSTOP: the leader stops, the group has not until T and U do");
	send_signal(p, SIGSTOP);
	expect_state(leader(p), 'T', "do_signal_stop()");
	expect_state(t, 'D', "seccomp_do_user_notification(): TASK_KILLABLE");
	expect_no_event(p, WSTOPPED, "do_signal_stop(): group_stop_count is 2");
	expect_no_sigchld(p, "do_signal_stop(): T has not taken part");

	step("U ends: T is still to be waited for");
	let_exit(&b);
	expect_gone(u, "release_task()");
	expect_no_event(p, WSTOPPED,
			"exit_signals(): task_participate_group_stop(), not the last one");
	expect_no_sigchld(p, "exit_signals(): group_stop_count is 1");

	step("T ends: with it the group has stopped");
	let_exit(&a);
	expect_gone(t, "release_task()");
	expect_sigchld(p, CLD_STOPPED, SIGSTOP,
		       "exit_signals(): task_participate_group_stop(), the last one");
	expect(!waitid(P_PID, (id_t)p->pid, &si, WSTOPPED) &&
		       si.si_code == CLD_STOPPED && si.si_status == SIGSTOP,
	       "wait_task_stopped()",
	       "waitid(P, WSTOPPED): si_code %d, si_status %d (expected %d, %d)",
	       si.si_code, si.si_status, CLD_STOPPED, SIGSTOP);
}

SCENARIO(exit_stops) = {
	.name = "exit-stops",
	.summary =
		"a stop waits for a thread, which ends instead: the group has stopped",
	.rows = "ES2.1",
	.needs = NEED_ROOT,
	.play = stop,
};
