// SPDX-License-Identifier: GPL-2.0
/*
 * A pid namespace in a pid namespace: I is the init of the outer one, N that of
 * the inner one and a member of the outer one.
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../pidns.h"
#include "../scenario.h"

/* C is a child of I, M one of N. */
struct cast {
	struct actor *i, *n, *c, *m;
};

static struct cast nested(void)
{
	struct cast k;

	k.i = pidns_init("I");
	k.c = spawn_by(k.i, "C");
	k.n = spawn_clone(k.i, "N", CLONE_NEWPID, SIGCHLD);
	k.m = spawn_by(k.n, "M");
	return k;
}

static void expect_number(struct thread *t, int levels, pid_t wanted)
{
	char what[64];

	snprintf(what, sizeof(what), "pid of %s, %d levels in", t->name,
		 levels);
	expect_equal(pidns_inner(t, levels), wanted, what,
		     "alloc_pid(): a number in each namespace");
}

static void expect_members_die(struct cast *k)
{
	const char *why = "zap_pid_ns_processes(): of all levels below";

	expect_gone(leader(k->c), why);
	expect_gone(leader(k->n), why);
	expect_gone(leader(k->m), why);
}

static void both_ends(void)
{
	struct waiter *w;
	struct actor *g;
	struct cast k;
	pid_t n;

	step("I and its child C; N, init of a namespace in there, and its child M");
	k = nested();
	expect_number(leader(k.c), 1, 2);
	expect_number(leader(k.n), 1, 3);
	expect_number(leader(k.n), 2, 1);
	expect_number(leader(k.m), 1, 4);
	expect_number(leader(k.m), 2, 2);

	step("an orphan below N is given to N, not to I");
	g = spawn_by(k.m, "G");
	exit_group(leader(k.m), 3);
	expect_state(leader(k.m), 'Z', "exit_notify(): N does not wait");
	expect_equal(ask(leader(g), order_getppid, 0, 0), 1, "getppid() in G",
		     "find_new_reaper(): child_reaper of its namespace");
	expect_wait(leader(k.n), 2, WEXITED, WAITED(2, CLD_EXITED, 3),
		    "wait_task_zombie(): by the number that N knows");
	k.m = spawn_by(k.n, "M");

	step("N is killed: M and G die, I is told of N, and C lives");
	n = pidns_inner(leader(k.n), 1);
	begin_wait(leader(k.i), n, WEXITED);
	send_signal(k.n, SIGKILL);
	expect_wait_ends(leader(k.i), WAITED(n, CLD_KILLED, SIGKILL),
			 "do_notify_parent(): after zap_pid_ns_processes()");
	expect_gone(leader(k.m), "zap_pid_ns_processes(): SIGKILL");
	expect_gone(leader(g), "zap_pid_ns_processes(): SIGKILL");
	expect_state(leader(k.c), 'S',
		     "find_child_reaper(): N is not its init");
	expect_no_sigchld(k.i, "I lives");

	step("I is killed, with an N and an M again: all are gone before it");
	k = nested();
	w = waiter(k.i);
	send_signal(k.i, SIGKILL);
	expect_waited(w, CLD_KILLED, SIGKILL, "do_notify_parent()");
	expect_members_die(&k);
}

SCENARIO(pidns_nested) = {
	.name = "pidns-nested",
	.summary =
		"a pid namespace in a pid namespace: the end of either init, and who adopts",
	.needs = NEED_ROOT,
	.rows = "ZP2.1 ZP7 NR7 CR1",
	.play = both_ends,
};

/* K, in the inner namespace, is the zombie of J, in the outer one. */
static void injected(void)
{
	struct actor *j, *k;
	struct waiter *w;
	struct cast a;

	step("J, a member of the outer namespace, has the zombie K in the inner one");
	a = nested();
	j = spawn_by(a.i, "J");
	expect_equal(ask(leader(j), order_enter, a.n->pid, 0), 0,
		     "setns() in J", "pidns_install(): for its children");
	k = spawn_by(j, "K");
	expect_number(leader(k), 2, 3);
	exit_group(leader(k), 7);
	expect_state(leader(k), 'Z', "exit_notify(): J does not wait");

	step("N is killed: it waits for K; the outer namespace goes on");
	send_signal(a.n, SIGKILL);
	expect_gone(leader(a.m), "zap_pid_ns_processes(): SIGKILL");
	expect_zaps(a.n, "zap_pid_ns_processes(): until it is the last one");
	expect_state(leader(k), 'Z', "nobody but J can reap K");
	expect_state(leader(a.c), 'S',
		     "find_child_reaper(): N is not its init");
	expect_verdict(a.n);

	step("I is killed, and J dies: K is given to I, which ignores SIGCHLD");
	w = waiter(a.i);
	send_signal(a.i, SIGKILL);
	expect_waited(w, CLD_KILLED, SIGKILL,
		      "free_pid(): wakes the init of each level");
	expect_gone(leader(k), "find_new_reaper(): I, in the namespace of J");
	expect_gone(leader(j), "zap_pid_ns_processes(): SIGKILL");
	expect_members_die(&a);
}

SCENARIO(pidns_nested_injected) = {
	.name = "pidns-nested-injected",
	.summary =
		"a zombie of the outer pid namespace in the inner one: ends with the outer init",
	.needs = NEED_ROOT,
	.rows = "ZP4.1 ZP7 RL3.1",
	.verdict = "pidns-teardown",
	.play = injected,
};

/* --- signals ------------------------------------------------------------ */

static int64_t order_kill(const struct order *o)
{
	return kill((pid_t)o->arg[0], (int)o->arg[1]) < 0 ? -1 : 0;
}

static void unkillable(void)
{
	const char *why = "sig_task_ignored(): SIGNAL_UNKILLABLE";
	static const int sigs[] = { SIGKILL, SIGTERM, SIGSTOP, SIGSEGV };
	struct proc_status st;
	struct actor *i, *c;

	step("C, a member, sends signals to I, its init: nothing comes of them");
	i = pidns_init("I");
	c = spawn_by(i, "C");
	for (size_t n = 0; n < ARRAY_SIZE(sigs); n++)
		expect_equal(ask(leader(c), order_kill, 1, sigs[n]), 0,
			     "kill(1) in C", "check_kill_permission()");
	expect_state(leader(i), 'S', why);
	if (proc_status(i->pid, 0, &st))
		broken("I %d is gone", i->pid);
	expect(!st.shdpnd && !st.sigpnd, why,
	       "pending for I: %#llx (expected 0)",
	       (unsigned long long)(st.shdpnd | st.sigpnd));
	expect_equal(ask(leader(i), order_getppid, 0, 0), 0, "getppid() in I",
		     "task_tgid_nr_ns(): the parent is outside");

	step("with a handler it gets the signal");
	ask(leader(i), order_sigaction, SIGTERM, DISPOSE_CATCH);
	ask(leader(c), order_kill, 1, SIGTERM);
	expect_equal(ask(leader(i), order_caught, SIGTERM, 0), 1,
		     "times I caught SIGTERM", "get_signal(): a handler");

	step("from outside SIGTERM is dropped as well, SIGKILL is not");
	ask(leader(i), order_sigaction, SIGTERM, DISPOSE_DEFAULT);
	send_signal(i, SIGTERM);
	expect_state(leader(i), 'S', why);
	expect_no_sigchld(i, why);
	send_signal(i, SIGKILL);
	expect_death(i, SIGKILL, "sig_task_ignored(): force, from an ancestor");
	expect_gone(leader(c), "zap_pid_ns_processes(): SIGKILL");
}

SCENARIO(pidns_unkillable) = {
	.name = "pidns-unkillable",
	.summary =
		"the init of a pid namespace cannot be killed from inside, from outside it can",
	.needs = NEED_ROOT,
	.rows = "ZP2.1",
	.play = unkillable,
};
