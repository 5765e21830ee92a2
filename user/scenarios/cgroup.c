// SPDX-License-Identifier: GPL-2.0
/*
 * The dying in a cgroup (v2): who is listed, and when the folder can go.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../core/await.h"
#include "../scenario.h"

static void leader_dies(void)
{
	struct actor *p;
	struct thread *t;
	const char *g;

	step("P in a cgroup: the leader ends by SYS_exit(3), T lives");
	g = cgroup_make("");
	p = spawn("P");
	t = thread(p, "T");
	cgroup_put(g, p);
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_listed(g, p, true,
		      "css_task_iter_advance(): a dying leader with live threads");
	expect_rmdir(g, EBUSY, "cgroup_is_populated(): T");

	step("T ends: P is a zombie, in no cgroup for anybody");
	exit_thread(t, 5);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_listed(g, p, false,
		      "css_task_iter_advance(): signal->live is 0");
	expect(await_true(cgroup_removed, (void *)g, AWAIT_MS),
	       "cgroup_exit(): the last one has left",
	       "rmdir() of the cgroup, with a zombie that was in it");
	reap(p);
}

static const char *const leader_watches[] = {
	"c03cd7738a83 (\"cgroup: Include dying leaders with live threads in PROCS iterations\")",
	NULL
};

SCENARIO(cgroup_leader) = {
	.name = "cgroup-leader",
	.summary =
		"the leader has ended, threads live: cgroup.procs lists the process",
	.rows = "A35",
	.needs = NEED_ROOT,
	.watches = leader_watches,
	.play = leader_dies,
};

#define TIMES 20

static void reaped(void)
{
	int busy = 0, listed = 0;
	const char *g;
	char pid[16];

	step("%d times: P in a cgroup is killed and reaped, the cgroup removed",
	     TIMES);
	g = cgroup_make("");
	for (int i = 0; i < TIMES; i++) {
		struct actor *p = spawn("P");

		if (i && mkdir(g, 0755) < 0)
			broken("cannot make %s: %m", g);
		cgroup_put(g, p);
		send_signal(p, SIGKILL);
		if (waitid(P_PID, (id_t)p->pid, NULL, WEXITED) < 0)
			broken("cannot reap P: %m");
		snprintf(pid, sizeof(pid), "%d", p->pid);
		listed += cgroup_has(g, "cgroup.procs", pid);
		if (rmdir(g)) {
			busy++;
			await_true(cgroup_removed, (void *)g, AWAIT_MS);
		}
	}
	expect_equal(listed, 0, "times that the reaped P was listed",
		     "css_task_iter_advance(): no dead tasks");
	expect_equal(busy, 0, "times that rmdir() failed after the wait",
		     "cgroup_exit() before the wait, or cgroup_rmdir() waits");
}

static const char *const reaped_watches[] = {
	"d245698d727a (\"cgroup: Defer task cgroup unlink until after the task is done switching out\")",
	"1b164b876c36 (\"cgroup: Wait for dying tasks to leave on rmdir\")",
	NULL
};

SCENARIO(cgroup_reaped) = {
	.name = "cgroup-reaped",
	.summary =
		"who has reaped the last process of a cgroup can remove it at once",
	.rows = "A36",
	.needs = NEED_ROOT,
	.watches = reaped_watches,
	.play = reaped,
};

static void stuck(void)
{
	/* Commit a72f73c4dd9b ("cgroup: Don't expose dead tasks in cgroup"). */
	bool listed = kernel_before(7, 0);
	int held = gate();
	struct actor *p;
	const char *g;

	step("P, with one thread and in a cgroup, is held in exit_files()");
	g = cgroup_make("");
	p = spawn("P");
	cgroup_put(g, p);
	hold_in_exit(leader(p), held, IN_FILES, 5);
	expect_listed(g, p, listed,
		      listed ?
			      "cgroup_exit() has not run" :
			      "css_task_iter_advance(): PF_EXITING, signal->live is 0");
	expect_populated(g, true, "cgroup_task_dead() has not run");
	expect_pids(g, 1, "cgroup_release() has not run");

	step("somebody removes the cgroup, while P is in D");
	expect_rmdir(g, listed ? EBUSY : 0,
		     listed ?
			     "cgroup_destroy_locked(): populated" :
			     "cgroup_destroy_locked(): only the dying are left");

	step("P is released and reaped: it can be removed in any case");
	expect_equal(release(held), 1, "threads released", "the gate held P");
	reap(p);
	expect(await_true(cgroup_removed, (void *)g, AWAIT_MS),
	       "cgroup_task_dead()", "the cgroup is gone");
}

static const char *const stuck_watches[] = {
	"a72f73c4dd9b (\"cgroup: Don't expose dead tasks in cgroup\")",
	"1b164b876c36 (\"cgroup: Wait for dying tasks to leave on rmdir\")",
	NULL
};

SCENARIO(cgroup_stuck) = {
	.name = "cgroup-stuck",
	.summary =
		"a process stuck in exit: is it listed in its cgroup, can that be removed",
	.rows = "A36",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = stuck_watches,
	.verdict = "stuck-in-exit",
	.play = stuck,
};
