// SPDX-License-Identifier: GPL-2.0
/*
 * What the files of a cgroup (v2) say of the dying and the dead: who is listed,
 * is it populated, how many pids, and can the folder go.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../cgroup.h"
#include "../core/await.h"
#include "../scenario.h"

static void expect_goes(const char *folder)
{
	expect(await_true(cgroup_removed, (void *)folder, AWAIT_MS),
	       "cgroup_destroy_locked(): nobody is left", "the cgroup is gone");
}

static void zombies(void)
{
	struct actor *p;
	struct thread *t;
	const char *f;

	step("P and its thread T: the process is listed, and both threads");
	f = cgroup_make("");
	expect_populated(f, false, "cgroup_update_populated(): nobody yet");
	p = spawn("P");
	t = thread(p, "T");
	cgroup_put(f, p);
	expect_listed(f, p, true, "css_task_iter_advance()");
	expect_thread_listed(f, leader(p), true, "css_task_iter_advance()");
	expect_thread_listed(f, t, true, "css_task_iter_advance()");
	expect_populated(f, true, "cgroup_update_populated()");
	expect_pids(f, 2, "pids_can_attach()");

	step("the leader ends: still a process, but no thread; its pid counts");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_listed(f, p, true,
		      "css_task_iter_advance(): a dying leader with live threads");
	expect_thread_listed(f, leader(p), false,
			     "css_task_iter_advance(): of dying_tasks leaders only");
	expect_thread_listed(f, t, true, "css_task_iter_advance()");
	expect_populated(f, true, "cgroup_update_populated(): T");
	expect_pids(f, 2, "pids_release(): comes with release_task()");
	expect_rmdir(f, EBUSY, "cgroup_destroy_locked(): T");
	expect_verdict(p);

	step("T ends: a zombie is nobody here, but its pid counts");
	exit_thread(t, 5);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_gone(t, "release_task(T)");
	expect_listed(f, p, false,
		      "css_task_iter_advance(): signal->live is 0");
	expect_thread_listed(f, leader(p), false, "css_task_iter_advance()");
	expect_pids(f, 1, "pids_release(): comes with release_task()");
	reap(p);
	expect_pids(f, 0,
		    "release_task(): cgroup_task_release(), pids_release()");
	expect_goes(f);
}

static const char *const watches[] = {
	"c03cd7738a83 (\"cgroup: Include dying leaders with live threads in PROCS iterations\")",
	"51bee5abeab2 (\"cgroup/pids: turn cgroup_subsys->free() into cgroup_subsys->release() to fix the accounting\")",
	NULL
};

SCENARIO(cgroup_zombies) = {
	.name = "cgroup-zombies",
	.summary =
		"a delayed leader and a zombie: cgroup.procs, cgroup.threads, populated, pids.current",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "A35",
	.verdict = "leader-exited",
	.play = zombies,
};

/* --- held --------------------------------------------------------------- */

/*
 * Who is in do_exit() is in its cgroup until the end of that, and since commit
 * a72f73c4dd9b ("cgroup: Don't expose dead tasks in cgroup"), 7.0, not seen
 * there when no thread of its group lives.
 */
static bool seen_dying(void)
{
	return kernel_before(7, 0);
}

static void held(void)
{
	struct actor *p;
	struct thread *t;
	const char *f;
	int g = gate();

	step("T, a thread of P, is held in exit_files(); the leader lives");
	f = cgroup_make("");
	p = spawn("P");
	t = thread(p, "T");
	cgroup_put(f, p);
	hold_in_exit(t, g, IN_FILES, 5);
	expect_listed(f, p, true, "css_task_iter_advance()");
	expect_thread_listed(f, t, true,
			     "css_task_iter_advance(): signal->live is 1");
	expect_pids(f, 2, "pids_release(): T is not released");

	step("P is killed: a dead leader, and T, dying: no process is listed");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_listed(f, p, false,
		      "css_task_iter_advance(): signal->live is 0");
	expect_thread_listed(f, t, seen_dying(),
			     seen_dying() ?
				     "cgroup_exit() has not run" :
				     "css_task_iter_advance(): signal->live is 0");
	expect_populated(f, true, "cgroup_update_populated(): T");
	expect_pids(f, 2, "pids_release(): comes with release_task()");
	expect_verdict(p);
	expect_rmdir(f, seen_dying() ? EBUSY : 0,
		     seen_dying() ? "cgroup_destroy_locked(): populated" :
				    "cgroup_destroy_locked(): nobody is seen");

	step("T is released");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	reap(p);
	expect_goes(f);
}

static const char *const held_watches[] = {
	"a72f73c4dd9b (\"cgroup: Don't expose dead tasks in cgroup\")",
	"d245698d727a (\"cgroup: Defer task cgroup unlink until after the task is done switching out\")",
	NULL
};

SCENARIO(cgroup_held) = {
	.name = "cgroup-held",
	.summary =
		"killed, a thread held in do_exit(): cgroup.procs is empty, populated is 1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = held_watches,
	.rows = "A36",
	.verdict = "stuck-in-exit",
	.play = held,
};

/* One that has not entered do_exit() is alive, killed or not. */
static void asleep(void)
{
	struct actor *p;
	struct thread *t;
	const char *f;
	int g = gate();

	step("P is killed, its thread T sleeps in D: T is alive to the cgroup");
	f = cgroup_make("");
	p = spawn("P");
	t = thread(p, "T");
	cgroup_put(f, p);
	hold_read(t, g);
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_listed(f, p, true,
		      "css_task_iter_advance(): a dying leader with live threads");
	expect_thread_listed(f, leader(p), false, "css_task_iter_advance()");
	expect_thread_listed(f, t, true, "css_task_iter_advance()");
	expect_populated(f, true, "cgroup_update_populated(): T");
	expect_pids(f, 2, "pids_release(): comes with release_task()");
	expect_rmdir(f, EBUSY, "cgroup_destroy_locked(): T");

	step("cgroup.kill kills nobody twice");
	if (cgroup_write(f, "cgroup.kill", "1") == -ENOENT)
		note("no cgroup.kill here (5.14 has it)");
	expect_state(t, 'D', "TASK_UNINTERRUPTIBLE is deaf to SIGKILL");

	step("T is released");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_death(p, SIGKILL, "release_task(T): zap_leader");
	expect_goes(f);
}

SCENARIO(cgroup_asleep) = {
	.name = "cgroup-asleep",
	.summary =
		"killed, a thread in D: the process is listed, the cgroup cannot be removed",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "A35 A37",
	.play = asleep,
};
