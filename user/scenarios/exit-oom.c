// SPDX-License-Identifier: GPL-2.0
/*
 * Killed because its cgroup is out of memory. A thread of it that sleeps in D
 * keeps the process, but not its memory: the OOM reaper takes that away.
 */
#include <errno.h>
#include <signal.h>

#include "../cgroup.h"
#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define MB    (1L << 20)
#define LIMIT (16 * MB)
#define BELOW (12 * MB)
#define ABOVE (64 * MB)

/* P, in a cgroup of LIMIT, with BELOW in use. */
static struct actor *confined(const char **folder)
{
	struct actor *p = spawn("P");
	char limit[24];

	cgroup_enable("memory");
	*folder = cgroup_make("");
	snprintf(limit, sizeof(limit), "%ld", LIMIT);
	if (cgroup_write(*folder, "memory.max", limit))
		skip("no memory.max for cgroups");
	cgroup_write(*folder, "memory.swap.max", "0");
	cgroup_put(*folder, p);
	expect_equal(ask(leader(p), order_use_memory, BELOW, 0), 0,
		     "memory that there is", "try_charge_memcg()");
	return p;
}

static void expect_oom_kills(const char *folder, int n, const char *why)
{
	char line[24];

	snprintf(line, sizeof(line), "oom_kill %d", n);
	expect(cgroup_has(folder, "memory.events", line), why,
	       "memory.events: %s", line);
}

static void killed(void)
{
	const char *folder;
	struct actor *p;

	step("P, in a cgroup of %ld MB, uses %ld MB", LIMIT / MB, BELOW / MB);
	p = confined(&folder);
	expect_oom_kills(folder, 0, "mem_cgroup_out_of_memory(): not called");

	step("it wants %ld MB more: it is killed, and no signal was sent by anybody",
	     ABOVE / MB);
	tell(leader(p), order_use_memory, ABOVE, 0);
	expect_death(p, SIGKILL, "__oom_kill_process(): SIGKILL");
	expect_oom_kills(folder, 1, "__oom_kill_process(): MEMCG_OOM_KILL");
}

SCENARIO(exit_oom) = {
	.name = "exit-oom",
	.summary = "its cgroup is out of memory: it dies of SIGKILL",
	.needs = NEED_ROOT | NEED_VM,
	.play = killed,
};

static bool has_let_go(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;

	return !proc_status(t->actor->pid, t->tid, &st) &&
	       st.vm_rss_kb < BELOW / 2 / 1024;
}

static void held(void)
{
	const char *folder;
	struct actor *p;
	struct thread *t;
	int g = gate();

	step("P, in a cgroup of %ld MB, uses %ld MB; its thread T is in D",
	     LIMIT / MB, BELOW / MB);
	p = confined(&folder);
	t = thread(p, "T");
	hold_read(t, g);

	step("the leader wants %ld MB more: P is killed, and stays, for T does",
	     ABOVE / MB);
	tell(leader(p), order_use_memory, ABOVE, 0);
	expect_state(leader(p), 'Z', "exit_notify(): delay_group_leader()");
	expect_state(t, 'D', "wait_event(): deaf to SIGKILL");
	expect_oom_kills(folder, 1, "__oom_kill_process(): MEMCG_OOM_KILL");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_verdict(p);

	step("its memory does not: it is taken from T, who still has it");
	expect(await_true(has_let_go, t, AWAIT_MS),
	       "oom_reap_task(): __oom_reap_task_mm()",
	       "memory of T: less than half of what P used");

	step("T is released: P is dead");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL, "release_task(T): the leader is told of");
}

SCENARIO(oom_held) = {
	.name = "oom-held",
	.summary =
		"out of memory, a thread of the victim in D: the process stays, its memory goes",
	.needs = NEED_ROOT | NEED_VM | NEED_DEVICE,
	.verdict = "delayed-leader",
	.play = held,
};
