// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that is not the leader calls exec: it takes the leader's place, and
 * all others have to be gone before. They die without a code, the process does
 * not, and one of them in D makes exec wait.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

/* P with a leader and the threads T and U. */
static struct actor *three(struct thread **t, struct thread **u)
{
	struct actor *p;

	step("P: a leader L and the threads T and U");
	p = spawn("P");
	*t = thread(p, "T");
	*u = thread(p, "U");
	return p;
}

/* A thread that exec has ended: not by its own will, and not by a signal. */
static void expect_no_code(int pidfd, const char *name)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	if (pidfd_details(pidfd, &d) || !(d.mask & PIDFD_INFO_EXIT_BIT)) {
		note("this kernel does not tell the code of a thread (6.15 has it)");
		return;
	}
	expect(!d.exit_code,
	       "do_group_exit(): group_exec_task is set, so the code is 0",
	       "%s: exit code %#x (expected 0)", name,
	       (unsigned int)d.exit_code);
}

static void expect_new_program(struct actor *p, struct thread *t,
			       struct thread *u)
{
	struct thread *only = leader(p);

	expect_execed(t, "de_thread(): nobody else is left");
	expect_gone(t, "de_thread(): T has the leader's tid now");
	expect_gone(u, "zap_other_threads()");
	expect_state(only, 'S', "it takes orders again");
	expect_tasks(p, &only, 1, "de_thread(): the group has one thread");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");
	expect_no_sigchld(p, "release_task(): the old leader tells nobody");
}

static void all_alive(void)
{
	struct thread *t, *u;
	struct actor *p = three(&t, &u);
	int u_pidfd = pidfd_of(u->tid, PIDFD_THREAD);

	step("T calls exec: the process goes on, without L and U");
	tell(t, order_exec, 0, 0);
	expect_new_program(p, t, u);
	if (u_pidfd >= 0)
		expect_no_code(u_pidfd, "U");

	step("the new program ends as any other");
	exit_group(leader(p), 7);
	expect_death(p, CODE(7), "do_group_exit(): no exec in progress");
}

SCENARIO(exec_thread) = {
	.name = "exec-thread",
	.summary =
		"a thread calls exec: the others die without a code, the process does not",
	.rows = "GE2 EN9.2 DT1.2",
	.needs = NEED_ROOT,
	.play = all_alive,
};

static bool killed_alone(struct thread *t)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	return st.sigpnd >> (SIGKILL - 1) & 1;
}

static void leader_dead(void)
{
	struct thread *t, *u;
	struct actor *p = three(&t, &u);
	int g = gate();

	step("L ends by SYS_exit(3), U sleeps in D");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	hold_read(u, g);

	step("T calls exec: it waits for U, and not for the leader");
	tell(t, order_exec, 0, 0);
	expect_asleep_in(t, "begin_new_exec", "de_thread(): notify_count is 1");
	expect(killed_alone(u) && !killed_alone(leader(p)),
	       "zap_other_threads(): the dead are counted, and get no SIGKILL",
	       "SIGKILL in SigPnd of U and of L: %d, %d (expected 1, 0)",
	       killed_alone(u), killed_alone(leader(p)));

	step("U is released: the process has a leader again");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_new_program(p, t, u);

	step("the new leader's code counts, not that of the old one");
	exit_group(leader(p), 7);
	expect_death(p, CODE(7), "do_group_exit()");
}

SCENARIO(exec_leader_dead) = {
	.name = "exec-leader-dead",
	.summary =
		"the leader has ended, a thread calls exec: the process has a leader again",
	.rows = "ZO1 RT5.1 DT5.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = leader_dead,
};

/* exec waits for U, wherever U is in D; P dies only of SIGKILL. */
static void waits_for(bool exiting)
{
	struct thread *t, *u;
	struct actor *p = three(&t, &u);
	int g = gate();

	step(exiting ? "U ends and is held in exit_files()" :
		       "U sleeps in D in the device");
	if (exiting)
		hold_in_exit(u, g, IN_FILES, 5);
	else
		hold_read(u, g);

	step("T calls exec: it waits for U");
	tell(t, order_exec, 0, 0);
	expect_asleep_in(t, "begin_new_exec", "de_thread(): notify_count is 1");
	expect_state(t, 'D', "de_thread(): TASK_KILLABLE");
	expect_state(leader(p), 'Z', "zap_other_threads(), exit_notify()");
	expect_state(u, 'D', "signals do nothing to it");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");
	expect_verdict(p);

	step("U is released: exec goes on");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_new_program(p, t, u);
	exit_group(leader(p), 7);
	expect_death(p, CODE(7), "do_group_exit()");
}

static void waits_for_reader(void)
{
	waits_for(false);
}

SCENARIO(exec_waits) = {
	.name = "exec-waits",
	.summary = "a thread calls exec, another is in D: exec waits in D",
	.rows = "RT5.1 DT4.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = waits_for_reader,
};

static void waits_for_dying(void)
{
	waits_for(true);
}

SCENARIO(exec_waits_dying) = {
	.name = "exec-waits-dying",
	.summary =
		"a thread calls exec, another is stuck in exit: exec waits in D",
	.rows = "RT5.1 ZO1.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = waits_for_dying,
};

static void waits_for_leader(void)
{
	struct thread *t, *u;
	struct actor *p = three(&t, &u);
	int g = gate();

	step("L ends by SYS_exit(3) and is held in exit_files()");
	hold_in_exit(leader(p), g, IN_FILES, 3);

	step("T calls exec: U dies, and exec waits for the leader");
	tell(t, order_exec, 0, 0);
	expect_gone(u, "zap_other_threads()");
	expect_asleep_in(t, "begin_new_exec",
			 "de_thread(): leader->exit_state is 0, notify_count -1");
	expect_state(leader(p), 'D', "signals do nothing to it");
	expect_verdict(p);

	step("L is released: exec goes on, and its code does not count");
	expect_equal(release(g), 1, "threads released", "the gate held L");
	expect_new_program(p, t, u);
	exit_group(leader(p), 7);
	expect_death(p, CODE(7), "do_group_exit()");
}

SCENARIO(exec_waits_leader) = {
	.name = "exec-waits-leader",
	.summary =
		"a thread calls exec, the leader is stuck in exit: exit_notify() wakes exec",
	.rows = "EN9.1 RT5.2 DT5.2 DT6.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = waits_for_leader,
};

/*
 * The leader's own code is 0, as another's exec has ended it. SIGCHLD had that
 * until commit 9133607de37a ("exit: fix the usage of
 * delay_group_leader->exit_code in do_notify_parent() and pidfs_exit()"), 6.15,
 * which stable kernels may have too; wait and stat until 5.17.
 */
static void expect_killed(struct actor *p)
{
	struct views seen, want = {
		.sigchld = SIGKILL,
		.stat = kernel_before(5, 17) ? 0 : SIGKILL,
		.wnowait = kernel_before(5, 17) ? 0 : SIGKILL,
		.wait = SIGKILL,
		.info = SIGKILL,
	};

	seen = view_death(p);
	if (kernel_before(6, 15) && !seen.sigchld) {
		note("SIGCHLD has the leader's own code: before commit 9133607de37a");
		want.sigchld = 0;
	}
	expect_views(p, &seen, &want,
		     "bprm_execve(): a fatal signal is pending, no SIGSEGV");
}

/* The others have died for an exec that never comes about. */
static void killed(void)
{
	struct thread *t, *u, *v;
	struct actor *p = three(&t, &u);
	int g = gate(), pidfd;

	v = thread(p, "V");
	pidfd = pidfd_of(v->tid, PIDFD_THREAD);
	step("U sleeps in D, T calls exec and waits; L and V die of it");
	hold_read(u, g);
	tell(t, order_exec, 0, 0);
	expect_asleep_in(t, "begin_new_exec", "de_thread(): notify_count is 1");
	expect_gone(v, "zap_other_threads()");
	if (pidfd >= 0)
		expect_no_code(pidfd, "V");
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");
	expect_verdict(p);

	step("P is killed: T dies, U cannot");
	send_signal(p, SIGKILL);
	expect_gone(t, "de_thread(): fatal_signal_pending(), -EAGAIN");
	expect_state(u, 'D', "wait_event()");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");

	step("U is released");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(U): zap_leader");
	expect_killed(p);
	expect_gone(leader(p), "release_task()");
}

SCENARIO(exec_killed) = {
	.name = "exec-killed",
	.summary =
		"exec waits for a thread in D and is killed: the process dies when that can",
	.rows = "GE2.1 DT4.1 EX1.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = killed,
};

/* --- two at once -------------------------------------------------------- */

#define ROUNDS 10

/* That its socket is at its end is no reply. */
static bool replies(const struct thread *t)
{
	char byte;

	return recv(t->cmd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool one_replies(void *arg)
{
	struct thread *const *t = arg;

	return replies(t[0]) || replies(t[1]);
}

/* Whoever is first has cred_guard_mutex, and kills the other waiting for it. */
static void both(void)
{
	step("T and U of P call exec at once, %d times: one new program, whosever",
	     ROUNDS);
	for (int i = 0; i < ROUNDS; i++) {
		struct thread *both[2], *only;
		struct actor *p = three(&both[0], &both[1]);
		bool second;

		only = leader(p);
		tell(both[0], order_exec, 0, 0);
		/* Who has no time to take it is the other one. */
		thread_tell(both[1], order_exec, -1, 0, 0);
		await_true(one_replies, both, AWAIT_MS);
		second = !replies(both[0]);
		expect_execed(both[second], "de_thread(): it was first");
		expect_tasks(p, &only, 1,
			     "zap_other_threads(): the other has died");
		exit_group(leader(p), 7);
		expect_death(p, CODE(7),
			     "do_group_exit(): no exec in progress");
	}
}

SCENARIO(exec_both) = {
	.name = "exec-both",
	.summary = "two threads call exec at once: one does, the other is gone",
	.rows = "DT1.2",
	.needs = NEED_ROOT,
	.play = both,
};
