// SPDX-License-Identifier: GPL-2.0
/*
 * What a pidfd tells of the dead, and when: the exit code is written down by
 * release_task(), not by do_exit(), and thread by thread.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../scenario.h"

static struct pidfd_details ask_for(int pidfd, uint64_t mask, int *err)
{
	struct pidfd_details d = { .mask = mask };

	*err = pidfd_details(pidfd, &d);
	return d;
}

/* Kernels that do not know the exit code leave the bit clear, or all of it. */
static void need_exit_info(void)
{
	struct actor *p = spawn("probe");
	int err;

	exit_group(leader(p), 1);
	reap(p);
	if (!(ask_for(p->pidfd, PIDFD_INFO_EXIT_BIT, &err).mask &
	      PIDFD_INFO_EXIT_BIT) ||
	    err)
		skip("no PIDFD_INFO_EXIT: commit 7477d7dce48a (\"pidfs: allow to retrieve exit information\"), 6.15");
}

static void info(void)
{
	const uint64_t both = PIDFD_INFO_EXIT_BIT | PIDFD_INFO_PID_BIT;
	struct pidfd_details d;
	struct actor *p;
	int err;

	need_exit_info();
	step("P ends by exit_group(7); a zombie has no exit information yet");
	p = spawn("P");
	exit_group(leader(p), 7);
	expect_wakeup(p->pidfd, "pidfd of P", "do_notify_pidfd()");
	d = ask_for(p->pidfd, both, &err);
	expect(!err && !(d.mask & PIDFD_INFO_EXIT_BIT) &&
		       d.mask & PIDFD_INFO_PID_BIT && d.pid == (uint32_t)p->pid,
	       "pidfd_info(): attr->exit_info comes with release_task()",
	       "PIDFD_GET_INFO of a zombie: mask %#llx, pid %u",
	       (unsigned long long)d.mask, d.pid);

	step("reaped, it has that and nothing else");
	reap(p);
	d = ask_for(p->pidfd, both, &err);
	expect(!err && d.mask & PIDFD_INFO_EXIT_BIT && d.exit_code == 7 << 8,
	       "pidfs_exit(): exit information",
	       "PIDFD_GET_INFO of the reaped: mask %#llx, exit code %#x",
	       (unsigned long long)d.mask, (unsigned int)d.exit_code);
	ask_for(p->pidfd, PIDFD_INFO_PID_BIT, &err);
	expect_equal(err, -ESRCH, "PIDFD_GET_INFO without PIDFD_INFO_EXIT",
		     "pidfd_info(): there is no task");
	expect_equal(pidfd_of(p->pid, 0), -ESRCH, "pidfd_open() of the reaped",
		     "pidfd_prepare(): nobody has that pid");
}

static const char *const watches[] = {
	"7477d7dce48a (\"pidfs: allow to retrieve exit information\")", NULL
};

SCENARIO(pidfd_info) = {
	.name = "pidfd-info",
	.summary =
		"a pidfd tells the exit code when the process is reaped, not before",
	.rows = "A11 RT8.1 PF4 PF5",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = info,
};

/* @pidfd: a PIDFD_THREAD one, 6.9; what it tells: 6.15 */
static void expect_thread_ended(struct thread *t, int pidfd, int code,
				const char *why)
{
	struct pidfd_details d;
	int err;

	if (pidfd >= 0)
		expect_wakeup(pidfd, "PIDFD_THREAD pidfd",
			      "exit_notify(): a thread: do_notify_pidfd()");
	expect_gone(t, "exit_notify(): a thread: autoreap");
	d = ask_for(pidfd, PIDFD_INFO_EXIT_BIT, &err);
	if (err || !(d.mask & PIDFD_INFO_EXIT_BIT)) {
		note("this kernel does not tell the code of a thread (6.15 has it)");
		return;
	}
	expect(d.exit_code == code, why, "exit code of %s: %#x (expected %#x)",
	       t->name, (unsigned int)d.exit_code, (unsigned int)code);
}

static void thread_codes(void)
{
	struct actor *p;
	struct thread *t, *u;
	int t_pidfd, u_pidfd, g = gate();

	step("P: U sleeps in D; T ends by SYS_exit(5): a code of its own");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	t_pidfd = pidfd_of(t->tid, PIDFD_THREAD);
	u_pidfd = pidfd_of(u->tid, PIDFD_THREAD);
	hold_read(u, g);
	exit_thread(t, 5);
	expect_thread_ended(t, t_pidfd, 5 << 8, "pidfs_exit(): tsk->exit_code");

	step("the leader calls exit_group(7); U, released, dies of that");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	if (u_pidfd >= 0)
		expect_no_wakeup(u_pidfd, "PIDFD_THREAD pidfd of U",
				 "pidfd_poll(): no exit_state");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_thread_ended(u, u_pidfd, 7 << 8,
			    "do_group_exit(): SIGNAL_GROUP_EXIT is set: its code, not SIGKILL's");
	expect_death(p, 7 << 8, "do_group_exit(): the first one sets the code");
}

SCENARIO(pidfd_info_threads) = {
	.name = "pidfd-info-threads",
	.summary =
		"each thread has an exit code: its own, or that of who ended the group",
	.rows = "GE1 GE3 EN5.2 PF8",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.play = thread_codes,
};

/* A pidfd of arg[0] is sent along: may it be asked from here? */
static int64_t order_info(const struct order *o)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_PID_BIT };

	return pidfd_details(o->fd, &d);
}

static int64_t asked_in(struct actor *by, struct actor *of)
{
	int64_t result = 0;
	int err = thread_tell(leader(by), order_info, of->pidfd, 0, 0);

	if (!err)
		err = thread_result(leader(by), AWAIT_MS, &result);
	if (err)
		broken("%s does not answer: %d", by->name, err);
	return result;
}

static void namespaces(void)
{
	struct actor *p, *i, *c;
	int64_t err;

	need_exit_info();
	step("I is init of a pid namespace, C its child, P is outside");
	p = spawn("P");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	c = spawn_by(i, "C");
	expect_equal(asked_in(i, c), 0, "PIDFD_GET_INFO of C by I",
		     "pidfd_info(): C has a pid there");
	expect_equal(asked_in(p, c), 0, "PIDFD_GET_INFO of C by P",
		     "pidfd_info(): and in the namespaces around");

	step("I has a pidfd of P, which has no pid in that namespace");
	err = asked_in(i, p);
	if (kernel_before(7, 0) && err != -EREMOTE)
		expect(err == -EINVAL || err == -ESRCH,
		       "commit ab89060fbc92 (\"pidfs: return -EREMOTE when PIDFD_GET_INFO is called on another ns\"), 7.0, is not there",
		       "PIDFD_GET_INFO of P by I: %lld", (long long)err);
	else
		expect_equal(err, -EREMOTE, "PIDFD_GET_INFO of P by I",
			     "pidfd_info(): pid_in_current_pidns()");
}

static const char *const remote_watches[] = {
	"ab89060fbc92 (\"pidfs: return -EREMOTE when PIDFD_GET_INFO is called on another ns\")",
	NULL
};

SCENARIO(pidfd_info_remote) = {
	.name = "pidfd-info-remote",
	.summary =
		"a pidfd tells nothing of a process outside of the caller's pid namespace",
	.rows = "A12 PF3",
	.needs = NEED_ROOT,
	.watches = remote_watches,
	.play = namespaces,
};
