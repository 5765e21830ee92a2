// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a pid namespace: zap_pid_ns_processes() kills all members, reaps
 * its children, and waits until nobody but its init has a pid there. All of this
 * without the device: who cannot go is held by a tracer or a parent outside.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../pidns.h"
#include "../scenario.h"

static const char *const waits =
	"zap_pid_ns_processes(): until it is the last one";

static void children(void)
{
	struct actor *i, *m, *c, *z, *y;
	struct waiter *w;

	step("I has two zombies, Z with exit signal 0, a child M and its child C");
	i = pidns_init("I");
	m = spawn_by(i, "M");
	c = spawn_by(m, "C");
	z = spawn_clone(i, "Z", 0, 0);
	y = spawn_by(i, "Y");
	exit_group(leader(z), 3);
	exit_group(leader(y), 5);
	expect_state(leader(z), 'Z', "exit_notify(): I does not wait");
	expect_state(leader(y), 'Z', "exit_notify(): I does not wait");

	step("I is killed: all of them are gone when its parent hears of it");
	w = waiter(i);
	send_signal(i, SIGKILL);
	expect_waited(w, CLD_KILLED, SIGKILL,
		      "zap_pid_ns_processes(): wait4(__WALL) until ECHILD");
	expect_sigchld(i, CLD_KILLED, SIGKILL, "do_notify_parent()");
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(leader(c), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(leader(z), "zap_pid_ns_processes(): wait4(__WALL)");
	expect_gone(leader(y), "zap_pid_ns_processes(): wait4(__WALL)");

	step("the same, and I ends by exit_group(7)");
	i = pidns_init("I");
	m = spawn_by(i, "M");
	c = spawn_by(m, "C");
	w = waiter(i);
	exit_group(leader(i), 7);
	expect_waited(w, CLD_EXITED, 7,
		      "zap_pid_ns_processes(): no reboot, its code stays");
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(leader(c), "zap_pid_ns_processes(): SIGKILL");
}

SCENARIO(pidns_children) = {
	.name = "pidns-children",
	.summary =
		"the init of a pid namespace ends: zombies and members are gone before it is",
	.needs = NEED_ROOT,
	.rows = "ZP2.1 ZP3.2 ZP4.2 ZP7",
	.play = children,
};

static void group(void)
{
	struct actor *i, *l, *m;

	step("L, child of I, leads the group that M is in; it is dead and gone");
	i = pidns_init("I");
	l = spawn_by(i, "L");
	m = spawn_by(i, "M");
	ask(leader(l), order_setpgid, 0, 0);
	expect_equal(ask(leader(m), order_setpgid, 0, pidns_inner(leader(l), 1)),
		     0, "setpgid() by M, into the group of L", "setpgid()");
	exit_group(leader(l), 3);
	expect_wait(leader(i), 0, WEXITED, WAITED(2, CLD_EXITED, 3),
		    "wait_task_zombie()");

	step("I is killed, and M with it: the number of L is a group's only");
	send_signal(i, SIGKILL);
	expect_death(i, SIGKILL,
		     "zap_pid_ns_processes(): pid_task() of L is NULL");
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
}

SCENARIO(pidns_group) = {
	.name = "pidns-group",
	.summary =
		"the init of a pid namespace ends, a process group in it has lost its leader",
	.needs = NEED_ROOT,
	.rows = "ZP2.1",
	.play = group,
};

/* --- a tracer outside --------------------------------------------------- */

/* M, a member, is dead and X, outside, has not waited for it. */
static struct actor *traced_member(struct actor **m, struct actor **x)
{
	struct actor *i = pidns_init("I");

	*m = spawn_by(i, "M");
	*x = spawn("X");
	trace(leader(*x), PTRACE_SEIZE, leader(*m), 0);
	return i;
}

static void traced(void)
{
	struct actor *i, *m, *x;

	step("X, outside, traces M, a member; I is killed, and M with it");
	i = traced_member(&m, &x);
	send_signal(i, SIGKILL);
	expect_state(leader(m), 'Z', "exit_notify(): M is traced");
	expect_zaps(i, "zap_pid_ns_processes(): wait4() of a traced child");
	expect_asleep_in(leader(i), "do_wait",
			 "zap_pid_ns_processes(): kernel_wait4()");
	expect_verdict(i);

	step("X waits for M: it is gone, and I with it");
	expect_wait(leader(x), m->pid, WEXITED,
		    WAITED(m->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_gone(leader(m), "do_notify_parent(): I ignores SIGCHLD now");
	expect_death(i, SIGKILL, "__wake_up_parent(), then free_pid()");

	step("the same, and X is killed");
	i = traced_member(&m, &x);
	send_signal(i, SIGKILL);
	expect_state(leader(m), 'Z', "exit_notify(): M is traced");
	expect_zaps(i, "zap_pid_ns_processes(): wait4() of a traced child");
	send_signal(x, SIGKILL);
	expect_gone(leader(m), "__ptrace_detach(): I ignores SIGCHLD now");
	expect_wakeup(i->pidfd, "pidfd of I", "do_notify_parent()");
	expect_wait(NULL, i->pid, WEXITED, WAITED(i->pid, CLD_KILLED, SIGKILL),
		    "do_notify_parent()");

	step("the same, and I has a signal pending that it has a handler for");
	i = traced_member(&m, &x);
	ask(leader(i), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	send_signal(i, SIGSTOP);
	expect_state(leader(i), 'T', "do_signal_stop(): from outside");
	send_signal(i, SIGUSR1);
	send_signal(i, SIGKILL);
	expect_state(leader(m), 'Z', "exit_notify(): M is traced");
	expect_zaps(i, "zap_pid_ns_processes(): clears TIF_SIGPENDING");
	expect_wait(leader(x), m->pid, WEXITED,
		    WAITED(m->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_death(i, SIGKILL, "__wake_up_parent(), then free_pid()");
}

SCENARIO(pidns_traced) = {
	.name = "pidns-traced-member",
	.summary =
		"a member is the zombie of a tracer outside: its init waits, asleep",
	.needs = NEED_ROOT,
	.rows = "ZP3.1 PD5.1 WZ7.1",
	.verdict = "pidns-teardown",
	.play = traced,
};

/*
 * K cannot exit, and has a zombie child C: when it does, C becomes a child of I,
 * that waits for nothing any more but for its pids to go.
 */
static void late(void)
{
	struct actor *i, *j, *k, *c, *x;

	step("K, put in by J outside, has a zombie C; X holds K when it exits");
	i = pidns_init("I");
	j = pidns_outsider(i, "J");
	k = spawn_by(j, "K");
	c = spawn_by(k, "C");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, leader(k), PTRACE_O_TRACEEXIT);
	exit_group(leader(c), 5);
	expect_state(leader(c), 'Z', "exit_notify(): K does not wait");
	expect_wait(leader(x), k->pid, WSTOPPED,
		    WAITED(k->pid, CLD_TRAPPED, SIGCHLD),
		    "ptrace_signal(): a tracee stops for SIGCHLD, too");
	trace(leader(x), PTRACE_CONT, leader(k), 0);

	step("I is killed, and K, which stops in do_exit(); I has no child left");
	send_signal(i, SIGKILL);
	expect_wait(leader(x), k->pid, WSTOPPED,
		    WAITED(k->pid, CLD_TRAPPED,
			   PTRACE_EVENT_EXIT << 8 | SIGTRAP),
		    "do_exit(): PTRACE_EVENT_EXIT");
	expect_state(leader(k), 't', "ptrace_stop()");
	expect_zaps(i, waits);
	expect_state(leader(c), 'Z', "exit_notify() of K has not run");

	step("X lets K go: C is given to I, and reaped, for I ignores SIGCHLD");
	trace(leader(x), PTRACE_CONT, leader(k), 0);
	expect_wait(leader(x), k->pid, WEXITED,
		    WAITED(k->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_gone(leader(c), "reparent_leader(): I ignores SIGCHLD now");
	expect_zaps(i, waits);
	expect_state(leader(k), 'Z', "nobody but J can reap K");

	step("J waits for K: I ends");
	expect_wait(leader(j), k->pid, WEXITED,
		    WAITED(k->pid, CLD_KILLED, SIGKILL), "wait_task_zombie()");
	expect_death(i, SIGKILL, "free_pid(): wakes I, the last one");
}

SCENARIO(pidns_late_orphan) = {
	.name = "pidns-late-orphan",
	.summary =
		"an init that waits for the last pids is given a zombie: reaped by itself",
	.needs = NEED_ROOT,
	.rows = "ZP4.1 ZP7 RL3.1",
	.play = late,
};

/* --- no way in ---------------------------------------------------------- */

static int64_t order_fork(const struct order *o)
{
	pid_t pid = fork();

	(void)o;
	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

static void expect_fork(struct actor *j, int64_t wanted, const char *why)
{
	char what[32];

	snprintf(what, sizeof(what), "fork() in %s", j->name);
	expect_equal(ask(leader(j), order_fork, 0, 0), wanted, what, why);
}

static void closed(void)
{
	const char *no = "alloc_pid(): disable_pid_allocation()";
	struct actor *i, *j, *k, *e;

	step("K is a member of I's namespace and the zombie of J; I is killed");
	i = pidns_init("I");
	j = pidns_outsider(i, "J");
	expect_fork(j, 0, "alloc_pid(): PIDNS_ADDING");
	k = spawn_by(j, "K");
	exit_group(leader(k), 7);
	expect_state(leader(k), 'Z', "exit_notify(): J does not wait");
	send_signal(i, SIGKILL);
	expect_zaps(i, waits);
	expect_verdict(i);

	step("nobody comes in, by the namespace or by a new E");
	expect_fork(j, -ENOMEM, no);
	e = pidns_outsider(i, "E");
	expect_fork(e, -ENOMEM, no);
	expect_equal(ask(leader(e), order_enter, getpid(), 0), 0,
		     "setns() in E, to where it is", "pidns_install()");
	expect_fork(e, 0, "pidns_install(): its children are where it is");
	expect_zaps(i, waits);

	step("J waits for K, I ends: still nobody");
	expect_wait(leader(j), k->pid, WEXITED, WAITED(k->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
	expect_death(i, SIGKILL, "free_pid(): wakes I, the last one");
	expect_fork(j, -ENOMEM, no);
}

SCENARIO(pidns_closed) = {
	.name = "pidns-closed",
	.summary =
		"a pid namespace whose init has been killed takes nobody: ENOMEM",
	.needs = NEED_ROOT,
	.rows = "ZP6 A52",
	.verdict = "pidns-teardown",
	.play = closed,
};
