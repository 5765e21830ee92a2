// SPDX-License-Identifier: GPL-2.0
/*
 * After exec by another thread that one is the leader wherever the kernel keeps
 * one: in the list of all processes, which kill(-1) walks, and as whom a stop is
 * told of.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/actor.h"
#include "../pidns.h"
#include "../scenario.h"

/* T, a thread of P, calls exec. */
static void exec_by_thread(struct actor *p)
{
	struct thread *t = thread(p, "T");

	tell(t, order_exec, 0, 0);
	expect_execed(t, "de_thread(): T is the leader");
}

static void told_of(void)
{
	struct actor *p;

	step("T, a thread of P, calls exec; P is stopped, goes on, and ends");
	p = spawn("P");
	exec_by_thread(p);
	send_signal(p, SIGSTOP);
	expect_sigchld(p, CLD_STOPPED, SIGSTOP,
		       "do_notify_parent_cldstop(): of group_leader");
	send_signal(p, SIGCONT);
	exit_group(leader(p), 7);
	reap(p);
}

SCENARIO(exec_leader_stops) = {
	.name = "exec-leader-stops",
	.summary =
		"a process whose exec another thread called is stopped: its parent hears of it by its pid",
	.rows = "A62",
	.play = told_of,
};

static int64_t order_kill_all(const struct order *o)
{
	return kill(-1, (int)o->arg[0]) < 0 ? -errno : 0;
}

static void listed(void)
{
	struct actor *i, *k, *p;

	step("P, in the pid namespace of I, has called exec by its thread T");
	i = pidns_init("I");
	k = spawn_by(i, "K");
	p = spawn_by(i, "P");
	exec_by_thread(p);
	ask(leader(p), order_sigaction, SIGUSR1, DISPOSE_CATCH);

	step("K signals everybody there");
	expect_equal(ask(leader(k), order_kill_all, SIGUSR1, 0), 0,
		     "kill(-1) by K", "kill_something_info()");
	expect_caught(leader(p), SIGUSR1, 1,
		      "de_thread(): list_replace_rcu() of all processes");
}

SCENARIO(exec_leader_listed) = {
	.name = "exec-leader-listed",
	.summary =
		"a process whose exec another thread called is still in the list that kill(-1) walks",
	.needs = NEED_ROOT,
	.rows = "A62",
	.play = listed,
};
