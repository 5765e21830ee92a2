// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_PARENT: a brother instead of a child. Its exit signal is that of the
 * leader of the cloning process, for a thread has none.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

static int64_t order_brother(const struct order *o)
{
	struct clone_args args = { .flags = CLONE_PARENT };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit((int)o->arg[0]);
	return pid < 0 ? -errno : pid;
}

static void brother(struct thread *t, int status, bool ordinary)
{
	const char *why =
		"copy_process(): exit_signal is that of the leader of the group";
	pid_t pid = (pid_t)ask(t, order_brother, status, 0);

	expect(pid > 0, "copy_process()", "clone3(CLONE_PARENT) in %s: %d",
	       t->name, pid);
	if (!ordinary)
		expect_wait(NULL, pid, WEXITED, -ECHILD, why);
	expect_wait(NULL, pid, WEXITED | (ordinary ? 0 : __WCLONE),
		    WAITED(pid, CLD_EXITED, status), why);
}

static void play(void)
{
	struct actor *p;

	step("P has the exit signal SIGCHLD; its leader, and its thread, clone");
	p = spawn("P");
	brother(leader(p), 3, true);
	brother(thread(p, "T"), 5, true);

	/* That one is ignored, and we are the parent. */
	step("P has the exit signal SIGWINCH");
	p = spawn_clone(NULL, "P", 0, SIGWINCH);
	brother(leader(p), 7, false);
	brother(thread(p, "T"), 9, false);
}

static const char *const watches[] = {
	"b4e00444cab4 (\"fork: fix copy_process(CLONE_PARENT) race with the exiting ->real_parent\")",
	NULL
};

SCENARIO(clone_parent) = {
	.name = "clone-parent",
	.summary =
		"CLONE_PARENT, by a leader or by a thread: the exit signal is the leader's",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "FK1.1 A47",
	.play = play,
};
