// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that is dying already, and does not get through do_exit(): held in
 * exit_mm() or exit_files(), with PF_EXITING set, before exit_notify(). No
 * signal can do anything to it.
 */
#include <signal.h>
#include <sys/wait.h>

#include "../core/dev.h"
#include "../core/proc.h"
#include "../scenario.h"

#define PF_EXITING 0x4
#define CODE(n)    ((n) << 8)

static void expect_exiting(struct thread *t, bool mm)
{
	struct proc_status st;
	int64_t flags = 0;

	proc_stat_field(t->actor->pid, t->tid, 9, &flags);
	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	expect(flags & PF_EXITING, "exit_signals(): it is past that",
	       "%s %d: PF_EXITING %s", t->name, t->tid,
	       flags & PF_EXITING ? "set" : "not set");
	expect((st.vm_size_kb >= 0) == mm,
	       mm ? "exit_mm() has not let go yet" :
		    "exit_mm() is over: current->mm is NULL",
	       "%s %d: memory %s", t->name, t->tid,
	       st.vm_size_kb >= 0 ? "there" : "gone");
}

/*
 * T ended by SYS_exit(5) after the leader had, so its code is the group's, and
 * SIGKILL after that does not count. Before commit d80f7d7b2c75 ("signal:
 * Guarantee that SIGNAL_GROUP_EXIT is set on process exit"), 6.0, the leader's.
 */
static void expect_last_one_in(struct actor *p)
{
	int status = 0;

	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	if (waitpid(p->pid, &status, 0) != p->pid)
		broken("wait4(P): %m");
	expect_equal(status, kernel_before(6, 0) ? CODE(3) : CODE(5),
		     "wait status of P",
		     "synchronize_group_exit(): T was the last one in");
	expect_gone(leader(p), "release_task()");
}

/**
 * struct spot - where in do_exit()
 * @where:    as hold_in_exit() wants it
 * @points:   of the gate, 0: those of gate()
 * @function: on the stack there
 * @mm:       it still has its address space
 * @last:     only the last user of the address space gets there, so that the
 *            leader has to end before
 * @own:      it has a gate of its own
 */
struct spot {
	enum exit_point where;
	unsigned int points;
	const char *function;
	bool mm, last, own;
};

static void dying(const struct spot *spot)
{
	struct actor *p;
	struct thread *t;
	int g = -1;

	step("P: the thread T ends by SYS_exit(5) and is held in do_exit()");
	p = spawn("P");
	t = thread(p, "T");
	if (!spot->own)
		g = spot->points ?
			    gate_of(spot->points, UNDEAD_KIND_UNINTERRUPTIBLE) :
			    gate();
	if (spot->last) {
		exit_thread(leader(p), 3);
		expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	}
	hold_in_exit(t, g, spot->where, 5);
	expect_state(t, 'D', "wait_event(): TASK_UNINTERRUPTIBLE");
	expect_asleep_in(t, spot->function, "do_exit(): where it is held");
	expect_exiting(t, spot->mm);
	if (!spot->last)
		expect_state(leader(p), 'S',
			     "recvmsg(): the rest of P is healthy");

	step("P is killed: the leader dies, T stays");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_state(t, 'D', "signals do nothing to a task in do_exit()");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_no_event(p, WEXITED,
			"wait_consider_task(): delay_group_leader()");
	expect_no_wakeup(p->pidfd, "pidfd of P",
			 "pidfd_poll(): delayed leader");
	expect_verdict(p);

	step("T is released");
	expect_equal(release_thread(t), 1, "threads released", "T was held");
	if (spot->last)
		expect_last_one_in(p);
	else
		expect_death(p, SIGKILL,
			     "complete_signal(): the group's code, T's own does not count");
}

static void in_files(void)
{
	static const struct spot spot = {
		.where = IN_FILES,
		.function = "undead_gate_flush",
	};

	dying(&spot);
}

SCENARIO(dying_in_files) = {
	.name = "dying-in-files",
	.summary =
		"a thread is stuck in exit_files(), the process is killed: a delayed leader",
	.rows = "EN6.2 RT1.1 RT3.2 WC4",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = in_files,
};

static void in_mm_release(void)
{
	static const struct spot spot = {
		.where = IN_MM_RELEASE,
		.function = "mm_release",
		.mm = true,
	};

	dying(&spot);
}

SCENARIO(dying_in_mm_release) = {
	.name = "dying-in-mm-release",
	.summary =
		"a thread is stuck in exit_mm(), the process is killed: a delayed leader",
	.rows = "EN6.2 RT1.1 RT3.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = in_mm_release,
};

static void in_task_work(void)
{
	static const struct spot spot = {
		.where = IN_TASK_WORK,
		.function = "undead_gate_release",
		.own = true,
	};

	dying(&spot);
}

SCENARIO(dying_in_task_work) = {
	.name = "dying-in-task-work",
	.summary =
		"a thread is stuck in the release of a file, the process is killed: a delayed leader",
	.rows = "EN6.2 RT1.1 RT3.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = in_task_work,
};

static void in_aio(void)
{
	static const struct spot spot = {
		.where = IN_AIO,
		.points = 1U << UNDEAD_POINT_AIO,
		.function = "exit_aio",
		.last = true,
	};

	dying(&spot);
}

SCENARIO(dying_in_aio) = {
	.name = "dying-in-aio",
	.summary =
		"the last thread is stuck in exit_aio(): an asynchronous read does not end",
	.rows = "EN6.2 RT1.1 RT3.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = in_aio,
};

static void in_mmap(void)
{
	static const struct spot spot = {
		.where = IN_MMAP,
		.points = 1U << UNDEAD_POINT_VMA_CLOSE,
		.function = "exit_mmap",
		.last = true,
	};

	dying(&spot);
}

SCENARIO(dying_in_mmap) = {
	.name = "dying-in-mmap",
	.summary =
		"the last thread is stuck in exit_mmap(): the end of a mapping waits",
	.rows = "EN6.2 RT1.1 RT3.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exit",
	.play = in_mmap,
};

/*
 * The leader is the last to die, but another thread set the group's code. Only
 * release_task() of a thread copies that code to the leader; here there is no
 * thread left to do it, and exit_notify() and pidfs_exit() use the leader's
 * own. Seen on 5.10 to 7.2; looks like a kernel bug. A kernel that mends it
 * turns this FAIL: then the second set of views is right.
 */
static void leader_last(void)
{
	struct actor *p;
	struct thread *t;
	struct views seen, want = {
		.sigchld = CODE(3),
		.stat = CODE(7),
		.wnowait = CODE(7),
		.wait = CODE(7),
		.info = CODE(3),
	};
	int g;

	/* Before 907c311f37ba and 2d18f7f45620, 5.17: the task's own. */
	if (kernel_before(5, 17)) {
		want.stat = CODE(3);
		want.wnowait = CODE(3);
	}
	step("P: the leader ends by SYS_exit(3) and is held in exit_files()");
	p = spawn("P");
	t = thread(p, "T");
	g = gate();
	hold_in_exit(leader(p), g, IN_FILES, 3);

	step("T ends the group by exit_group(7) and is gone");
	exit_group(t, 7);
	expect_gone(t, "release_task(): a thread reaps itself");
	expect_state(leader(p), 'D', "wait_event()");
	expect_no_sigchld(p, "exit_notify() of the leader has not run");

	step("the leader is released: wait says 7, SIGCHLD and pidfd say 3");
	expect_equal(release(g), 1, "threads released", "the gate held L");
	seen = view_death(p);
	expect_views(p, &seen, &want,
		     "exit_notify() tells tsk->exit_code, wait_task_zombie() the group's");
}

static const char *const leader_watches[] = {
	"9133607de37a (\"exit: fix the usage of delay_group_leader->exit_code in do_notify_parent() and pidfs_exit()\")",
	NULL
};

SCENARIO(exit_code_leader_last) = {
	.name = "exit-code-leader-last",
	.summary =
		"known divergence: the leader dies last, wait and SIGCHLD disagree on the code",
	.rows = "A5 WZ3.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = leader_watches,
	.play = leader_last,
};

/* The last to enter do_exit() sets the code, not the last to leave it. */
static void enters_last(void)
{
	struct actor *p;
	struct thread *t;
	const int code = CODE(3);
	struct views seen, want;
	int g;

	step("P: T ends by SYS_exit(5) and is held in do_exit()");
	p = spawn("P");
	t = thread(p, "T");
	g = gate();
	hold_in_exit(t, g, IN_FILES, 5);

	step("the leader ends by SYS_exit(3): the last one in");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");

	step("T is released, the last one out");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	seen = view_death(p);
	want = (struct views){ code, code, code, code, code, -1 };
	expect_views(p, &seen, &want,
		     "synchronize_group_exit(): quick_threads reached 0 with the leader");
}

SCENARIO(exit_code_enters_last) = {
	.name = "exit-code-enters-last",
	.summary =
		"who enters do_exit() last sets the code, even if another leaves it last",
	.rows = "A3 DE1.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = enters_last,
};
