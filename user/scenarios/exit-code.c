// SPDX-License-Identifier: GPL-2.0
/*
 * Who sets the exit code of a group, and who is told which. Every thread has a
 * code of its own, so that no mix-up hides.
 */
#include <signal.h>
#include <sys/wait.h>

#include "../scenario.h"

#define CODE(n) ((n) << 8)

/* P with a leader that has ended by SYS_exit(3), and T that lives, or idles. */
static struct thread *dead_leader(struct actor **p, bool idle)
{
	struct thread *t;

	step("P: the leader L ends by SYS_exit(3), the thread T lives on");
	*p = spawn("P");
	t = thread(*p, "T");
	if (idle)
		tell(t, order_pause, 0, 0);
	exit_thread(leader(*p), 3);
	expect_state(leader(*p), 'Z',
		     "exit_notify(): EXIT_ZOMBIE; thread_group_empty() is false");
	expect_no_sigchld(*p,
			  "exit_notify(): a delayed leader is not announced");
	expect_no_event(*p, WEXITED,
			"wait_consider_task(): delay_group_leader()");
	return t;
}

/*
 * SIGCHLD and pidfs took the leader's own code until commit 9133607de37a
 * ("exit: fix the usage of delay_group_leader->exit_code in do_notify_parent()
 * and pidfs_exit()"), 6.15, which stable kernels may have too: either is right
 * before 6.15, but both must say the same.
 */
static void expect_group_code(struct actor *p, int own, int group, int wnowait,
			      int stat, const char *why)
{
	struct views seen = view_death(p);
	struct views want = {
		.sigchld = group,
		.stat = stat,
		.wnowait = wnowait,
		.wait = group,
		.info = group,
	};

	if (kernel_before(6, 15) && seen.sigchld == own) {
		note("SIGCHLD has the leader's own code: before commit 9133607de37a");
		want.sigchld = own;
		want.info = own;
	}
	expect_views(p, &seen, &want, why);
}

static void exit_group_after_leader(void)
{
	struct actor *p;
	struct thread *t = dead_leader(&p, false);
	/* Before 907c311f37ba and 2d18f7f45620 (5.17) WNOWAIT and stat took
	 * the leader's own code.
	 */
	int other = kernel_before(5, 17) ? CODE(3) : CODE(7);

	step("T calls exit_group(7): the group's code");
	exit_group(t, 7);
	expect_group_code(p, CODE(3), CODE(7), other, other,
			  "do_group_exit(): sets group_exit_code; wait_task_zombie() reports it");
}

static const char *const group_watches[] = {
	"907c311f37ba (\"exit: Fix the exit_code for wait_task_zombie\")",
	"2d18f7f45620 (\"exit: Use the correct exit_code in /proc/<pid>/stat\")",
	"9133607de37a (\"exit: fix the usage of delay_group_leader->exit_code in do_notify_parent() and pidfs_exit()\")",
	NULL
};

SCENARIO(exit_code_group) = {
	.name = "exit-code-group",
	.summary =
		"the leader ends first, the last thread calls exit_group(): its code counts",
	.rows = "A1 A2 A4 DE1.2 WC4",
	.needs = NEED_ROOT,
	.watches = group_watches,
	.play = exit_group_after_leader,
};

static void last_thread(void)
{
	struct actor *p;
	struct thread *t = dead_leader(&p, false);
	/* Commit d80f7d7b2c75, 6.0; the leader's before. */
	int last = kernel_before(6, 0) ? CODE(3) : CODE(5);

	step("T ends by SYS_exit(5), the last of its group");
	exit_thread(t, 5);
	expect_group_code(p, CODE(3), last, last, last,
			  "synchronize_group_exit(): the last to enter do_exit() sets the code");
}

static const char *const last_watches[] = {
	"d80f7d7b2c75 (\"signal: Guarantee that SIGNAL_GROUP_EXIT is set on process exit\")",
	NULL
};

SCENARIO(exit_code_last) = {
	.name = "exit-code-last",
	.summary = "every thread ends by SYS_exit(): the last one's code counts",
	.rows = "A3 DE1.1 WC4 WZ3.2",
	.needs = NEED_ROOT,
	.watches = last_watches,
	.play = last_thread,
};

static void killed_after_leader(void)
{
	struct actor *p;
	struct thread *t = dead_leader(&p, true);
	int other = kernel_before(5, 17) ? CODE(3) : SIGKILL;

	step("P is killed: the process is alive, its leader only looks dead");
	expect_state(t, 'S', "pause(): T is healthy");
	send_signal(p, SIGKILL);
	expect_group_code(p, CODE(3), SIGKILL, other, other,
			  "complete_signal(): group_exit_code is SIGKILL");
}

SCENARIO(exit_code_killed) = {
	.name = "exit-code-killed",
	.summary =
		"the leader ended by SYS_exit(), the healthy rest is killed: it works",
	.rows = "WC4",
	.needs = NEED_ROOT,
	.watches = group_watches,
	.verdict = "leader-exited",
	.play = killed_after_leader,
};

static void single(void)
{
	struct actor *p;

	step("a process ends by exit_group(7)");
	p = spawn("P");
	exit_group(leader(p), 7);
	expect_death(p, CODE(7), "do_notify_parent(): CLD_EXITED");
	step("a process is killed by SIGTERM");
	p = spawn("Q");
	send_signal(p, SIGTERM);
	expect_death(p, SIGTERM, "do_notify_parent(): CLD_KILLED");
	step("a process is killed by a real-time signal");
	p = spawn("R");
	send_signal(p, SIGRTMIN);
	expect_death(p, SIGRTMIN,
		     "complete_signal(): sig_fatal(), no core dump");
}

SCENARIO(exit_code_single) = {
	.name = "exit-code-single",
	.summary =
		"a process with one thread exits, another is killed: all views agree",
	.rows = "EN6.1 EN7.2 EN8.2 DE2.2 WC4.1",
	.needs = NEED_ROOT,
	.play = single,
};
