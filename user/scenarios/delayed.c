// SPDX-License-Identifier: GPL-2.0
/*
 * Delayed leaders whose thread is not in D: healthy, stopped, or all that
 * seccomp has left of a process. The process is alive, and SIGKILL works.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

static const char *const delayed =
	"wait_consider_task(): delay_group_leader(), not to be reaped yet";

static void expect_nobody_told(struct actor *p)
{
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_no_event(p, WEXITED, delayed);
	expect_no_wakeup(p->pidfd, "pidfd of P",
			 "pidfd_poll(): a delayed leader has not exited");
}

static void stopped(void)
{
	siginfo_t si = { 0 };
	struct actor *p;
	struct thread *t;

	step("P: the leader ends by SYS_exit(3), T lives");
	p = spawn("P");
	t = thread(p, "T");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_nobody_told(p);
	expect_verdict(p);

	step("SIGSTOP: the rest of the group stops, and waitid(WSTOPPED) says so");
	send_signal(p, SIGSTOP);
	expect_state(t, 'T', "do_signal_stop()");
	expect(!waitid(P_PID, (id_t)p->pid, &si, WSTOPPED) &&
		       si.si_code == CLD_STOPPED && si.si_status == SIGSTOP,
	       "wait_consider_task(): a zombie leader's group may stop; wait_task_stopped()",
	       "waitid(P, WSTOPPED): si_code %d, si_status %d (expected %d, %d)",
	       si.si_code, si.si_status, CLD_STOPPED, SIGSTOP);
	expect_no_event(p, WEXITED, delayed);

	step("SIGCONT: it goes on, and waitid(WCONTINUED) says so");
	send_signal(p, SIGCONT);
	expect_state(t, 'S', "prepare_signal(): SIGCONT wakes the stopped");
	si = (siginfo_t){ 0 };
	expect(!waitid(P_PID, (id_t)p->pid, &si, WCONTINUED) &&
		       si.si_code == CLD_CONTINUED,
	       "wait_task_continued()",
	       "waitid(P, WCONTINUED): si_code %d (expected %d)", si.si_code,
	       CLD_CONTINUED);

	step("stopped again and killed: SIGKILL ends it");
	send_signal(p, SIGSTOP);
	expect_state(t, 'T', "do_signal_stop()");
	send_signal(p, SIGKILL);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	reap(p);
	expect_gone(leader(p), "release_task()");
}

static const char *const stopped_watches[] = {
	"\"wait: WSTOPPED|WCONTINUED hangs if a zombie child is traced by real_parent\", 3.15",
	NULL
};

SCENARIO(delayed_stopped) = {
	.name = "delayed-stopped",
	.summary =
		"the leader has ended, the rest is stopped: wait sees the stop, not an exit",
	.needs = NEED_ROOT,
	.watches = stopped_watches,
	.verdict = "leader-exited",
	.rows = "WC4.2 WC6.1 A23",
	.play = stopped,
};

/* getppid() ends the thread that calls it. */
static int64_t order_killed_by_seccomp(const struct order *o)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };

	(void)o;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		return -errno;
	syscall(SYS_getppid);
	return -EBADMSG;
}

static void seccomp(void)
{
	struct actor *p;
	struct thread *t;
	int64_t result = 0;

	step("seccomp kills the leader of P, and only that thread");
	p = spawn("P");
	t = thread(p, "T");
	tell(leader(p), order_killed_by_seccomp, 0, 0);
	if (await_state(p->pid, p->pid, 'Z', AWAIT_MS) != 'Z' &&
	    !thread_result(leader(p), 0, &result) && result == -EINVAL)
		skip("this kernel has no CONFIG_SECCOMP_FILTER");
	expect_state(leader(p), 'Z', "__seccomp_filter(): do_exit(SIGSYS)");
	expect_state(t, 'S', "recvmsg(): T is healthy");
	expect_nobody_told(p);
	expect_verdict(p);

	step("SIGKILL to P works");
	send_signal(p, SIGKILL);
	reap(p);
	expect_gone(leader(p), "release_task()");
	expect_gone(t, "release_task()");
}

SCENARIO(delayed_seccomp) = {
	.name = "delayed-seccomp",
	.summary =
		"seccomp kills only the leader's thread: the parent is told nothing",
	.rows = "EN6.2 RT1.1 RT3.2 WC4.2",
	.needs = NEED_ROOT,
	.verdict = "leader-exited",
	.play = seccomp,
};

static void spinning(void)
{
	struct actor *p;
	struct thread *t;
	int g;

	step("P: T spins in the kernel, and waits for nothing");
	p = spawn("P");
	t = thread(p, "T");
	g = gate_of(1U << UNDEAD_POINT_READ, UNDEAD_KIND_SPIN);
	hold_read(t, g);

	step("P is killed: the leader dies, T runs on");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_state(t, 'R', "a loop in the kernel looks at no signal");
	expect_nobody_told(p);
	expect_verdict(p);

	step("the loop ends");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL, "get_signal(): T dies on its way out");
}

SCENARIO(delayed_spin) = {
	.name = "delayed-spin",
	.summary =
		"killed, its leader a zombie, one thread spins in the kernel: not in D",
	.rows = "EN6.2 RT1.1 RT3.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "spinning",
	.play = spinning,
};
