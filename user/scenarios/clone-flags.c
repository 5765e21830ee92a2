// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_AUTOREAP, CLONE_NNP and CLONE_PIDFD_AUTOKILL: with which other flags
 * they go, who may ask, and what the child is.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../scenario.h"

#define THREAD_FLAGS (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

/* The pid of a child that ends at once, by its no_new_privs; arg[1]: signal. */
static int64_t order_clone(const struct order *o)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = (uint64_t)o->arg[0],
		.exit_signal = (uint64_t)o->arg[1],
	};
	long pid;

	if (args.flags & CLONE_PIDFD)
		args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	if (pid < 0)
		return -errno;
	close(pidfd);
	return pid;
}

static int64_t order_nobody(const struct order *o)
{
	(void)o;
	return syscall(SYS_setresuid, 65534, 65534, 65534) < 0 ? -errno : 0;
}

static void expect_refused(struct thread *t, uint64_t flags, int sig, int err,
			   const char *what)
{
	int64_t r = ask(t, order_clone, (int64_t)flags, sig);

	expect(r == -err, "copy_process()", "clone3(%s, exit signal %d): %s",
	       what, sig, r < 0 ? strerrorname_np((int)-r) : "a child");
}

static int64_t expect_cloned(struct thread *t, uint64_t flags, int sig,
			     const char *what)
{
	int64_t r = ask(t, order_clone, (int64_t)flags, sig);

	expect(r > 0, "copy_process()", "clone3(%s, exit signal %d): %s", what,
	       sig, r < 0 ? strerrorname_np((int)-r) : "a child");
	return r;
}

static void autoreap(struct actor *p)
{
	const int all = WEXITED | (int)__WALL;
	struct actor *c;
	int64_t pid;

	step("CLONE_AUTOREAP: no exit signal, no thread, no brother");
	expect_refused(leader(p), CLONE_AUTOREAP, SIGCHLD, EINVAL, "AUTOREAP");
	expect_refused(leader(p), CLONE_AUTOREAP | CLONE_PARENT, 0, EINVAL,
		       "AUTOREAP|PARENT");
	expect_refused(leader(p), CLONE_AUTOREAP | THREAD_FLAGS, 0, EINVAL,
		       "AUTOREAP|THREAD");

	step("one made so makes no brothers, and its children are as any");
	c = spawn_clone(p, "C", CLONE_AUTOREAP, 0);
	expect_refused(leader(c), CLONE_PARENT, 0, EINVAL, "PARENT");
	pid = expect_cloned(leader(c), 0, SIGCHLD, "0");
	expect_wait(leader(c), pid, all, WAITED(pid, CLD_EXITED, 0),
		    "copy_signal(): autoreap is not inherited");
	exit_group(leader(c), 7);
	expect_gone(leader(c), "do_notify_parent(): autoreap");
	expect_wait(leader(p), c->pid, all, -ECHILD,
		    "release_task(): nobody waited");
}

static void no_new_privs(struct actor *p)
{
	int64_t pid;

	step("CLONE_NNP: for a process, not for a thread");
	expect_refused(leader(p), CLONE_NNP | THREAD_FLAGS, 0, EINVAL,
		       "NNP|THREAD");
	pid = expect_cloned(leader(p), CLONE_NNP, SIGCHLD, "NNP");
	expect_wait(leader(p), pid, WEXITED, WAITED(pid, CLD_EXITED, 1),
		    "copy_process(): task_set_no_new_privs()");
	pid = expect_cloned(leader(p), 0, SIGCHLD, "0");
	expect_wait(leader(p), pid, WEXITED, WAITED(pid, CLD_EXITED, 0),
		    "copy_process(): as its parent");
}

static void autokill(struct actor *p)
{
	const uint64_t kill = CLONE_PIDFD_AUTOKILL | CLONE_PIDFD;

	step("CLONE_PIDFD_AUTOKILL: with CLONE_PIDFD and CLONE_AUTOREAP only");
	expect_refused(leader(p), CLONE_PIDFD_AUTOKILL | CLONE_AUTOREAP, 0,
		       EINVAL, "AUTOKILL|AUTOREAP");
	expect_refused(leader(p), kill, 0, EINVAL, "AUTOKILL|PIDFD");
	expect_refused(leader(p), kill | CLONE_AUTOREAP | THREAD_FLAGS, 0,
		       EINVAL, "AUTOKILL|PIDFD|AUTOREAP|THREAD");
	expect_cloned(leader(p), kill | CLONE_AUTOREAP, 0,
		      "AUTOKILL|PIDFD|AUTOREAP, as root");

	step("nobody has to ask for CLONE_NNP, too");
	if (ask(leader(p), order_nobody, 0, 0))
		broken("P cannot become nobody");
	expect_refused(leader(p), kill | CLONE_AUTOREAP, 0, EPERM,
		       "AUTOKILL|PIDFD|AUTOREAP, as nobody");
	expect_cloned(leader(p), kill | CLONE_AUTOREAP | CLONE_NNP, 0,
		      "AUTOKILL|PIDFD|AUTOREAP|NNP, as nobody");
}

static void play(void)
{
	struct actor *p = spawn("P");

	if (ask(leader(p), order_clone, (int64_t)CLONE_AUTOREAP, 0) == -EINVAL)
		skip("this kernel has no CLONE_AUTOREAP (7.1 has it)");
	autoreap(p);
	no_new_privs(p);
	autokill(p);
}

static const char *const watches[] = {
	"12ae2c81b21c (\"clone: add CLONE_AUTOREAP\")",
	"24baca56fafc (\"clone: add CLONE_NNP\")",
	"c8134b5f13ae (\"pidfd: add CLONE_PIDFD_AUTOKILL\")", NULL
};

SCENARIO(clone_flags) = {
	.name = "clone-flags",
	.summary =
		"CLONE_AUTOREAP, CLONE_NNP, CLONE_PIDFD_AUTOKILL: what is refused and to whom",
	.rows = "FK3 A20",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = play,
};
