// SPDX-License-Identifier: GPL-2.0
/*
 * Pid namespaces: who adopts in them, what the end of their init does, and when
 * it can end. I is an init, M a member; J is outside and may put members in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../pidns.h"
#include "../scenario.h"

static void await_end(struct actor *p)
{
	if (!await_readable(p->pidfd, AWAIT_MS))
		broken("%s %d does not die", p->name, p->pid);
	barrier();
}

static void end(struct actor *p)
{
	send_signal(p, SIGKILL);
	await_end(p);
}

static void expect_parent(struct actor *c, struct actor *p, const char *why)
{
	struct proc_status st;

	if (proc_status(c->pid, 0, &st))
		broken("%s %d is gone", c->name, c->pid);
	expect(st.ppid == p->pid, why, "PPid of %s %d: %d, that of %s is %d",
	       c->name, c->pid, st.ppid, p->name, p->pid);
}

static void adoption(void)
{
	struct actor *i, *s, *r, *c, *j;
	pid_t pid;

	step("I, S its child, a subreaper, R below S, C below R; R ends");
	i = pidns_init("I");
	s = spawn_by(i, "S");
	ask(leader(s), order_prctl, PR_SET_CHILD_SUBREAPER, true);
	r = spawn_by(s, "R");
	c = spawn_by(r, "C");
	end(r);
	expect_parent(c, s, "find_new_reaper(): a subreaper in the namespace");

	step("R below I, C below R; R ends: I adopts, not the runner");
	r = spawn_by(i, "R");
	c = spawn_by(r, "C");
	end(r);
	expect_parent(c, i, "find_new_reaper(): no subreaper up to I");

	step("J, a subreaper outside, has put R into the namespace; R ends");
	j = pidns_outsider(i, "J");
	ask(leader(j), order_prctl, PR_SET_CHILD_SUBREAPER, true);
	r = spawn_by(j, "R");
	c = spawn_by(r, "C");
	end(r);
	expect_parent(c, i,
		      "find_new_reaper(): J, the parent of R, is of another level");
	pid = pidns_inner(leader(c), 1);
	exit_group(leader(c), 7);
	expect_wait(leader(i), pid, WEXITED, WAITED(pid, CLD_EXITED, 7),
		    "wait_task_zombie(): it is a child of I");
}

SCENARIO(pidns_adoption) = {
	.name = "pidns-adoption",
	.summary =
		"orphans stay in their pid namespace, whoever put their parent there",
	.needs = NEED_ROOT,
	.rows = "NR3 NR7 A43",
	.play = adoption,
};

static void init_ends(void)
{
	struct actor *i, *m, *r, *c;
	struct thread *t;

	step("M and R are members of the namespace of I; R ends: only that");
	i = pidns_init("I");
	t = thread(i, "T");
	m = spawn_by(i, "M");
	r = spawn_by(i, "R");
	c = spawn_by(r, "C");
	end(r);
	expect_state(leader(m), 'S', "find_child_reaper(): R is not the init");

	step("the leader of I ends: its thread T is the init now");
	exit_thread(leader(i), 3);
	expect_state(leader(i), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_state(leader(m), 'S', "find_child_reaper(): T is alive, no zap");
	expect_parent(m, i, "find_new_reaper(): T");
	r = spawn_from(t, "R");
	expect_state(leader(r), 'S',
		     "alloc_pid(): the namespace takes members");
	c = spawn_by(r, "C");
	end(r);
	expect_parent(c, i, "find_child_reaper(): T is child_reaper");
	expect_no_sigchld(i, "exit_notify(): thread_group_empty() is false");

	step("T ends: nobody is left");
	exit_thread(t, 5);
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(leader(c), "zap_pid_ns_processes(): SIGKILL");
	expect_wakeup(i->pidfd, "pidfd of I", "release_task(T): zap_leader");
	reap(i);
}

SCENARIO(pidns_init_ends) = {
	.name = "pidns-init-ends",
	.summary =
		"the init of a pid namespace ends with its last thread, and takes all along",
	.needs = NEED_ROOT,
	.rows = "CR1 CR2",
	.play = init_ends,
};

static void init_held(void)
{
	struct actor *i, *m;
	struct thread *t;
	int g = gate();

	step("I is killed, its thread T sleeps in D: the namespace lives on");
	i = pidns_init("I");
	t = thread(i, "T");
	m = spawn_by(i, "M");
	hold_read(t, g);
	send_signal(i, SIGKILL);
	expect_state(leader(i), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_state(leader(m), 'S',
		     "find_alive_thread(): T, killed or not; no zap");
	expect_no_sigchld(i, "exit_notify(): thread_group_empty() is false");
	expect_no_wakeup(i->pidfd, "pidfd of I",
			 "pidfd_poll(): delayed leader");

	step("T is released: it is the one that ends the namespace");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_death(i, SIGKILL, "release_task(T): zap_leader");

	step("the same, T is held in exit_files(): all die, the leader waits");
	i = pidns_init("I");
	t = thread(i, "T");
	m = spawn_by(i, "M");
	hold_in_exit(t, g, IN_FILES, 5);
	send_signal(i, SIGKILL);
	expect_gone(leader(m), "find_alive_thread(): T has PF_EXITING; zap");
	expect_zaps(i, "zap_pid_ns_processes(): T still has its pid");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(i, SIGKILL, "free_pid(): wakes I, the last one");
}

SCENARIO(pidns_init_held) = {
	.name = "pidns-init-held",
	.summary =
		"the init of a pid namespace is killed, a thread of it in D: all others live on",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "CR2 ZP1 ZP7",
	.verdict = "delayed-leader",
	.play = init_held,
};

static void dead_list(void)
{
	struct actor *i, *m;
	struct thread *t;

	step("I traces T, a thread of M; T ends, and is a zombie for I");
	i = pidns_init("I");
	m = spawn_by(i, "M");
	t = thread(m, "T");
	expect_equal(ask(leader(i), order_ptrace, WITH_DATA(PTRACE_SEIZE, 0),
			 pidns_inner(t, 1)),
		     0, "PTRACE_SEIZE of T", "ptrace_attach()");
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): traced, no autoreap");

	step("I is killed: T is released first, or I would wait for its pid");
	send_signal(i, SIGKILL);
	expect_wakeup(i->pidfd, "pidfd of I",
		      "find_child_reaper(): the list of the dead, then zap");
	expect_death(i, SIGKILL, "do_notify_parent()");
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(t, "exit_ptrace(): on the list of the dead");
}

SCENARIO(pidns_dead_list) = {
	.name = "pidns-dead-list",
	.summary =
		"the init of a pid namespace dies while it has the zombie of a traced thread",
	.needs = NEED_ROOT,
	.rows = "CR3",
	.play = dead_list,
};

static void injected(void)
{
	const char *waits = "zap_pid_ns_processes(): until it is the last one";
	struct actor *i, *m, *j, *k;

	step("K is a member of I's namespace and the zombie of J, outside");
	i = pidns_init("I");
	m = spawn_by(i, "M");
	j = pidns_outsider(i, "J");
	k = spawn_by(j, "K");
	exit_group(leader(k), 7);
	await_end(k);

	step("I is killed: the other members die, I does not yet");
	send_signal(i, SIGKILL);
	expect_gone(leader(m), "zap_pid_ns_processes(): SIGKILL");
	expect_zaps(i, waits);
	expect_state(leader(k), 'Z', "nobody but J can reap K");
	expect_verdict(i);

	step("J waits for K: I ends");
	expect_wait(leader(j), k->pid, WEXITED, WAITED(k->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
	expect_death(i, SIGKILL, "free_pid(): wakes I, the last one");

	step("the same, and J dies: its adopter has to wait for K");
	i = pidns_init("I");
	j = pidns_outsider(i, "J");
	k = spawn_by(j, "K");
	exit_group(leader(k), 7);
	await_end(k);
	send_signal(i, SIGKILL);
	expect_zaps(i, waits);
	end(j);
	expect_death(k, 7 << 8, "reparent_leader(): to the runner");
	expect_death(i, SIGKILL, "free_pid(): wakes I, the last one");
}

SCENARIO(pidns_injected) = {
	.name = "pidns-injected-zombie",
	.summary =
		"a zombie of somebody outside: the init of the pid namespace cannot end",
	.needs = NEED_ROOT,
	.rows = "ZP4 ZP7 A49",
	.verdict = "pidns-teardown",
	.play = injected,
};

static int64_t order_try_fork(const struct order *o)
{
	pid_t pid = fork();

	(void)o;
	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : waitpid(pid, NULL, 0) < 0 ? -errno : 0;
}

static void no_more(void)
{
	struct actor *i, *m, *j;
	int g = gate();

	step("J, outside, can fork into the namespace of I");
	i = pidns_init("I");
	m = spawn_by(i, "M");
	j = pidns_outsider(i, "J");
	expect_equal(ask(leader(j), order_try_fork, 0, 0), 0, "fork() in J",
		     "alloc_pid(): PIDNS_ADDING");

	step("I is killed and cannot end, for M sleeps in D: no more forks");
	hold_read(leader(m), g);
	send_signal(i, SIGKILL);
	expect_zaps(i, "zap_pid_ns_processes(): waits for M");
	expect_verdict(i);
	expect_equal(ask(leader(j), order_try_fork, 0, 0), -ENOMEM,
		     "fork() in J", "alloc_pid(): disable_pid_allocation()");

	step("M is released");
	expect_equal(release(g), 1, "threads released", "the gate held M");
	expect_death(i, SIGKILL, "zap_pid_ns_processes() has returned");
}

SCENARIO(pidns_no_fork) = {
	.name = "pidns-no-fork",
	.summary =
		"a pid namespace that cannot end takes no new members: ENOMEM",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "ZP3 ZP6 A52",
	.verdict = "pidns-teardown",
	.play = no_more,
};

/* Fork with pid arg[0] in the namespace of the children. */
static int64_t order_fork_as(const struct order *o)
{
	pid_t tid = (pid_t)o->arg[0];
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&tid,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : pid;
}

static void first(void)
{
	struct actor *a, *b, *i, *m;
	int64_t r;

	step("A makes a pid namespace for its children, B enters it, it is empty");
	a = spawn("A");
	b = spawn("B");
	expect_equal(ask(leader(a), order_unshare, CLONE_NEWPID, 0), 0,
		     "unshare(CLONE_NEWPID) in A", "copy_pid_ns()");
	r = ask(leader(b), order_enter, a->pid, true);
	if (r == -ENOENT)
		skip("this kernel has no way into a pid namespace without an init");
	expect_equal(r, 0, "setns() in B", "pidns_for_children_get()");

	step("whoever comes first is its init, and has to be 1");
	expect_equal(ask(leader(b), order_fork_as, 2, 0), -EINVAL,
		     "clone3() in B with pid 2",
		     "alloc_pid(): there is no child_reaper");
	i = spawn_by(b, "I");
	expect_equal(pidns_inner(leader(i), 1), 1, "pid of B's child in there",
		     "alloc_pid()");
	m = spawn_by(a, "M");
	expect_equal(pidns_inner(leader(m), 1), 2, "pid of A's child in there",
		     "alloc_pid()");

	step("the init is killed: the child of A goes as well");
	send_signal(i, SIGKILL);
	expect_wakeup(m->pidfd, "pidfd of M", "zap_pid_ns_processes()");
}

SCENARIO(pidns_first) = {
	.name = "pidns-first",
	.summary =
		"an empty pid namespace is entered from outside: the first is its init",
	.needs = NEED_ROOT,
	.rows = "AP1 A53",
	.play = first,
};
