// SPDX-License-Identifier: GPL-2.0
/*
 * unshare() and setns() of pid namespaces, in every order: they say where the
 * children go, not where the caller is.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../core/proc.h"
#include "../pidns.h"
#include "../scenario.h"

static int64_t order_getpid(const struct order *o)
{
	(void)o;
	return getpid();
}

/* What becomes of a child: its pid, as it knows it itself. */
static int64_t order_fork(const struct order *o)
{
	pid_t pid = fork();
	int status;

	(void)o;
	if (!pid)
		_exit(getpid() == 1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WEXITSTATUS(status);
}

static void *nothing(void *arg)
{
	return arg;
}

static int64_t order_pthread(const struct order *o)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, nothing, NULL);

	(void)o;
	return err ? -err : -pthread_join(t, NULL);
}

static void expect_unshare(struct actor *a, int64_t wanted, const char *why)
{
	expect_equal(ask(leader(a), order_unshare, CLONE_NEWPID, 0), wanted,
		     "unshare(CLONE_NEWPID)", why);
}

/* To where @to is. */
static void expect_enter(struct actor *a, pid_t to, int64_t wanted,
			 const char *why)
{
	expect_equal(ask(leader(a), order_enter, to, 0), wanted, "setns()",
		     why);
}

static void expect_fork(struct actor *a, int64_t wanted, const char *why)
{
	expect_equal(ask(leader(a), order_fork, 0, 0), wanted,
		     "fork(), 1 for a child that is an init", why);
}

static void expect_thread(struct actor *a, int64_t wanted, const char *why)
{
	expect_equal(ask(leader(a), order_pthread, 0, 0), wanted,
		     "pthread_create()", why);
}

static void unshared(void)
{
	const char *elsewhere =
		"copy_process(): CLONE_THREAD, but children go elsewhere";
	struct actor *a, *i, *m;
	pid_t pid;

	step("A unshares: it stays where it is, and makes no threads any more");
	a = spawn("A");
	pid = a->pid;
	expect_thread(a, 0, "copy_process()");
	expect_unshare(a, 0, "copy_pid_ns()");
	expect_equal(ask(leader(a), order_getpid, 0, 0), pid, "getpid() in A",
		     "copy_pid_ns(): pid_ns_for_children only");
	expect_thread(a, -EINVAL, elsewhere);
	expect_unshare(a, -EINVAL,
		       "copy_pid_ns(): children go elsewhere already");

	step("its first child is the init, the second a member");
	i = spawn_by(a, "I");
	m = spawn_by(a, "M");
	expect_equal(pidns_inner(leader(i), 1), 1, "pid of I in there",
		     "alloc_pid()");
	expect_equal(pidns_inner(leader(m), 1), 2, "pid of M in there",
		     "alloc_pid()");
	expect_equal(ask(leader(m), order_getppid, 0, 0), 0, "getppid() in M",
		     "task_tgid_nr_ns(): A is outside");

	step("I ends: M with it, both are A's; A has nowhere to put a child");
	begin_wait(leader(a), m->pid, WEXITED);
	exit_group(leader(i), 7);
	expect_wait_ends(leader(a), WAITED(m->pid, CLD_KILLED, SIGKILL),
			 "zap_pid_ns_processes(): SIGKILL; the parent is A");
	expect_wait(leader(a), i->pid, WEXITED, WAITED(i->pid, CLD_EXITED, 7),
		    "zap_pid_ns_processes(): its code stays");
	expect_fork(a, -ENOMEM, "alloc_pid(): disable_pid_allocation()");
	expect_unshare(a, -EINVAL,
		       "copy_pid_ns(): children go elsewhere already");

	step("back to where it is: all is as before, and a new one can be made");
	expect_enter(a, pid, 0, "pidns_install()");
	expect_thread(a, 0, "copy_process()");
	expect_fork(a, 0, "alloc_pid(): in A's own namespace");
	expect_unshare(a, 0, "copy_pid_ns()");
	expect_fork(a, 1, "alloc_pid(): the first one there");
	expect_fork(a, -ENOMEM, "alloc_pid(): and it has ended");
}

SCENARIO(pidns_unshare) = {
	.name = "pidns-unshare",
	.summary =
		"unshare(CLONE_NEWPID): threads, children, the end of the first, and back",
	.needs = NEED_ROOT,
	.rows = "ZP6.1 A52",
	.play = unshared,
};

static void first_fails(void)
{
	const char *folder;
	struct actor *a;
	int64_t seen;

	step("A unshares; its first child would be one too many for its cgroup");
	a = spawn("A");
	cgroup_enable("pids");
	folder = cgroup_make("");
	cgroup_put(folder, a);
	expect_unshare(a, 0, "copy_pid_ns()");
	if (cgroup_write(folder, "pids.max", "1"))
		broken("cannot write pids.max: %m");
	expect_fork(a, -EAGAIN,
		    "pids_can_fork(), after alloc_pid(): free_pid()");

	step("there is room now: is the next child the init?");
	cgroup_write(folder, "pids.max", "max");
	seen = ask(leader(a), order_fork, 0, 0);
	/* free_pid() closed it for good: seen until 6.12, no more on 7.2. */
	expect(seen == 1 || (seen == -ENOMEM && kernel_before(7, 2)),
	       "alloc_pid(): the numbers begin at 1 again",
	       "fork(): %lld (expected 1, an init; before 7.2 -ENOMEM for ever)",
	       (long long)seen);
}

SCENARIO(pidns_first_fails) = {
	.name = "pidns-first-fails",
	.summary =
		"the first fork() into a new pid namespace fails: and the second?",
	.needs = NEED_ROOT | NEED_VM,
	.rows = "A52",
	.play = first_fails,
};

static void entered(void)
{
	const char *up = "pidns_install(): not a descendant";
	struct actor *i, *k, *n, *c, *j, *u;

	step("I and K are inits beside each other, N is one below I");
	i = pidns_init("I");
	k = pidns_init("K");
	n = spawn_clone(i, "N", CLONE_NEWPID, SIGCHLD);
	c = spawn_by(i, "C");
	j = spawn("J");

	step("J, outside, may choose any of them, and again");
	expect_enter(j, i->pid, 0, "pidns_install(): a descendant");
	expect_thread(j, -EINVAL,
		      "copy_process(): CLONE_THREAD, but children go elsewhere");
	expect_unshare(j, -EINVAL,
		       "copy_pid_ns(): children go elsewhere already");
	expect_enter(j, n->pid, 0, "pidns_install(): a descendant");
	u = spawn_by(j, "U");
	expect_equal(pidns_inner(leader(u), 2), 2, "pid of J's child below N",
		     "alloc_pid()");
	expect_enter(j, k->pid, 0, "pidns_install(): a descendant");
	u = spawn_by(j, "V");
	expect_equal(pidns_inner(leader(u), 1), 2, "pid of J's child beside K",
		     "alloc_pid()");

	step("C, inside, may not go up, nor to the neighbours, but down");
	expect_enter(c, getpid(), -EINVAL, up);
	expect_enter(c, k->pid, -EINVAL, up);
	expect_enter(n, i->pid, -EINVAL, up);
	expect_enter(c, n->pid, 0, "pidns_install(): a descendant");
	expect_enter(c, i->pid, 0, "pidns_install(): where it is");
	expect_unshare(c, 0, "copy_pid_ns()");

	step("who is not root may do neither");
	u = spawn("W");
	ask(leader(u), order_setuid, 60123, 0);
	expect_unshare(u, -EPERM, "create_new_namespaces(): CAP_SYS_ADMIN");
	/* Its own links in /proc it may follow. */
	ask(leader(u), order_prctl, PR_SET_DUMPABLE, 1);
	expect_enter(u, u->pid, -EPERM, "pidns_install(): CAP_SYS_ADMIN");
}

SCENARIO(pidns_setns) = {
	.name = "pidns-setns",
	.summary =
		"setns() to a pid namespace: down and back as often as one likes, never up",
	.needs = NEED_ROOT,
	.rows = "A43",
	.play = entered,
};
