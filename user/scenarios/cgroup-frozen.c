// SPDX-License-Identifier: GPL-2.0
/*
 * A frozen child is killed: at once in v2; in v1 when it is thawed. The freezer
 * of v1 is mounted here, for the runner only, in a VM only.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

static bool is_frozen(void *folder)
{
	return cgroup_has(folder, "cgroup.events", "frozen 1");
}

static void expect_frozen(const char *f, bool wanted, const char *why)
{
	/* It takes the tasks of it a while to get there. */
	bool seen = wanted ? await_true(is_frozen, (void *)f, AWAIT_MS) :
			     is_frozen((void *)f);

	expect(seen == wanted, why, "cgroup.events: frozen %d (expected %d)",
	       seen, wanted);
}

static void freeze(const char *f, const char *how)
{
	int err = cgroup_write(f, "cgroup.freeze", how);

	if (err)
		broken("cgroup.freeze: %s", strerror(-err));
}

static void frozen(void)
{
	struct actor *p, *q;
	struct thread *t;
	const char *f;

	step("P with a thread T, in a cgroup that is frozen");
	f = cgroup_make("");
	p = spawn("P");
	t = thread(p, "T");
	q = spawn("Q");
	ask(leader(q), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	cgroup_put(f, p);
	cgroup_put(f, q);
	freeze(f, "1");
	expect_frozen(f, true, "cgroup_update_frozen(): all are in the trap");
	/* Most compilers inline do_freezer_trap(). */
	expect_asleep_in(t, "get_signal", "get_signal(): JOBCTL_TRAP_FREEZE");
	expect_asleep_in(leader(p), "get_signal",
			 "get_signal(): JOBCTL_TRAP_FREEZE");
	expect_state(t, 'S', "do_freezer_trap(): TASK_INTERRUPTIBLE");
	expect_listed(f, p, true, "css_task_iter_advance()");
	expect_no_event(p, WSTOPPED | WCONTINUED | WEXITED,
			"do_freezer_trap(): nobody is told");
	/* The doctor does not look into sleepers of several threads. */
	expect_verdict(q);

	step("a signal with a handler is for when it is thawed, SIGKILL for now");
	send_signal(q, SIGUSR1);
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL,
		     "do_freezer_trap(): a fatal signal gets out of it");
	expect_gone(t, "release_task(T)");
	expect_frozen(f, true, "cgroup_update_frozen(): Q is");
	expect_state(leader(q), 'S', "do_freezer_trap()");
	expect_no_sigchld(q, "do_freezer_trap()");

	step("thawed, Q has its signal");
	freeze(f, "0");
	expect_equal(ask(leader(q), order_caught, SIGUSR1, 0), 1,
		     "times Q caught SIGUSR1", "get_signal()");

	step("frozen again, SIGTERM without a handler is a fatal one");
	freeze(f, "1");
	expect_frozen(f, true, "cgroup_update_frozen(): Q is");
	send_signal(q, SIGTERM);
	expect_death(q, SIGTERM, "complete_signal(): fatal, as SIGKILL is");
	expect(await_true(cgroup_removed, (void *)f, AWAIT_MS),
	       "cgroup_destroy_locked(): nobody is left", "the cgroup is gone");
}

SCENARIO(cgroup_frozen) = {
	.name = "cgroup-frozen",
	.summary =
		"a process of a frozen cgroup (v2) is killed: it dies at once, others wait",
	.needs = NEED_ROOT,
	.rows = "CG1",
	.verdict = "frozen",
	.play = frozen,
};

static void frozen_held(void)
{
	struct actor *p;
	struct thread *t;
	const char *f;
	int g = gate();

	step("P's thread T sleeps in D: the cgroup is not frozen, P's leader is");
	f = cgroup_make("");
	p = spawn("P");
	t = thread(p, "T");
	cgroup_put(f, p);
	hold_read(t, g);
	freeze(f, "1");
	expect_asleep_in(leader(p), "get_signal",
			 "get_signal(): JOBCTL_TRAP_FREEZE");
	expect_frozen(f, false, "cgroup_update_frozen(): T is not");

	step("P is killed: its leader gets out of the trap and dies");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_state(t, 'D', "TASK_UNINTERRUPTIBLE is deaf to SIGKILL");
	expect_no_event(p, WEXITED,
			"wait_consider_task(): delay_group_leader()");
	expect_frozen(f, false, "cgroup_update_frozen(): T is not");
	expect_verdict(p);

	step("T is released, and dies in a cgroup that is to be frozen");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL,
		     "get_signal(): a fatal signal comes before the trap");
	expect(await_true(cgroup_removed, (void *)f, AWAIT_MS),
	       "cgroup_destroy_locked(): nobody is left", "the cgroup is gone");
}

SCENARIO(cgroup_frozen_held) = {
	.name = "cgroup-frozen-held",
	.summary =
		"a thread in D keeps a cgroup (v2) from being frozen; killed, the rest dies",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "CG1.1",
	.verdict = "delayed-leader",
	.play = frozen_held,
};

/* --- v1 ----------------------------------------------------------------- */

static char hierarchy[64];

/* The mount is the runner's own; a cgroup in it would outlive that. */
static void thaw(const char *where)
{
	char folder[96];

	snprintf(folder, sizeof(folder), "%s/undead", where);
	cgroup_write(folder, "freezer.state", "THAWED");
	await_true(cgroup_removed, folder, AWAIT_MS);
	umount2(where, MNT_DETACH);
	rmdir(where);
}

static const char *freezer_make(void)
{
	static char folder[96];

	snprintf(hierarchy, sizeof(hierarchy), "/tmp/undead-freezer-%d",
		 getpid());
	snprintf(folder, sizeof(folder), "%s/undead", hierarchy);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(hierarchy, 0755) < 0)
		broken("cannot make a place for the freezer: %m");
	if (mount("none", hierarchy, "cgroup", 0, "freezer") < 0) {
		rmdir(hierarchy);
		skip("no freezer of cgroup v1 here");
	}
	at_end(thaw, hierarchy);
	if (mkdir(folder, 0755) < 0)
		broken("cannot make %s: %m", folder);
	return folder;
}

static bool is_frozen_v1(void *folder)
{
	return cgroup_has(folder, "freezer.state", "FROZEN");
}

static void frozen_v1(void)
{
	struct proc_status st;
	struct actor *p;
	const char *f;

	step("P is in a cgroup of the v1 freezer, which is frozen: it is D");
	f = freezer_make();
	p = spawn("P");
	cgroup_put(f, p);
	if (cgroup_write(f, "freezer.state", "FROZEN"))
		broken("freezer.state");
	expect(await_true(is_frozen_v1, (void *)f, AWAIT_MS),
	       "update_if_frozen(): all are in the refrigerator",
	       "freezer.state: FROZEN");
	expect_state(leader(p), 'D', "__refrigerator()");
	expect_asleep_in(leader(p), "__refrigerator",
			 "get_signal(): try_to_freeze()");
	expect_verdict(p);

	step("SIGKILL is for when it is thawed");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'D', "__refrigerator()");
	if (proc_status(p->pid, 0, &st))
		broken("P %d is gone", p->pid);
	expect((st.sigpnd | st.shdpnd) & 1ULL << (SIGKILL - 1),
	       "__refrigerator(): looks at no signal",
	       "pending for P: %#llx (expected SIGKILL)",
	       (unsigned long long)(st.sigpnd | st.shdpnd));
	expect_no_sigchld(p, "__refrigerator()");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): alive");

	step("thawed, it dies");
	cgroup_write(f, "freezer.state", "THAWED");
	expect_death(p, SIGKILL, "get_signal()");
}

SCENARIO(cgroup_frozen_v1) = {
	.name = "cgroup-frozen-v1",
	.summary =
		"a process of a frozen cgroup (v1) is killed: it dies when it is thawed",
	.needs = NEED_VM | NEED_ROOT,
	.rows = "CG1.2",
	.verdict = "frozen",
	.play = frozen_v1,
};

/* The frozen cannot clear JOBCTL_TRAPPING, as it would when it traps. */
static void frozen_attach(void)
{
	struct actor *c, *x, *z;
	int64_t result = -1;
	const char *f;
	int err;

	step("C has stopped, and is frozen (v1); X wants to trace it, and waits");
	f = freezer_make();
	c = spawn("C");
	send_signal(c, SIGSTOP);
	expect_wait(NULL, c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_STOPPED, SIGSTOP), "do_signal_stop()");
	cgroup_put(f, c);
	if (cgroup_write(f, "freezer.state", "FROZEN"))
		broken("freezer.state");
	expect(await_true(is_frozen_v1, (void *)f, AWAIT_MS),
	       "update_if_frozen(): who has stopped counts as frozen",
	       "freezer.state: FROZEN");
	x = spawn("X");
	tell(leader(x), order_ptrace, WITH_DATA(PTRACE_SEIZE, 0), c->pid);
	expect_asleep_in(leader(x), "sys_ptrace",
			 "ptrace_attach(): wait_on_bit() of JOBCTL_TRAPPING");

	step("X is killed; C is thawed, and goes on");
	send_signal(x, SIGKILL);
	/* SIGCHLD of the stop of C may be pending: then there is none of X. */
	reap(x);
	cgroup_write(f, "freezer.state", "THAWED");
	expect_state(leader(c), 'T', "__ptrace_unlink(): JOBCTL_STOP_PENDING");
	send_signal(c, SIGCONT);
	expect_state(leader(c), 'S', "prepare_signal(): SIGCONT");

	step("Z may trace it at once");
	z = spawn("Z");
	tell(leader(z), order_ptrace, WITH_DATA(PTRACE_SEIZE, 0), c->pid);
	err = thread_result(leader(z), AWAIT_MS, &result);
	expect(!err && !result,
	       "__ptrace_unlink(): JOBCTL_TRAPPING went with the trap that was pending",
	       "PTRACE_SEIZE of C by Z: %s, %lld",
	       err ? "no reply" : "returned", (long long)result);
}

SCENARIO(tracer_attach_frozen) = {
	.name = "tracer-attach-frozen",
	.summary =
		"attach to a process that has stopped and is frozen (v1): waits, and can be killed",
	.needs = NEED_VM | NEED_ROOT,
	.rows = "PU1.1",
	.play = frozen_attach,
};
