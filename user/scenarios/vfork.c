// SPDX-License-Identifier: GPL-2.0
/*
 * vfork(): the thread that called it sleeps until the child has let go of its
 * memory, in exec or at its end. It sleeps in D, and yet can be killed.
 */
#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../core/dev.h"
#include "../core/proc.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

static const char *const asleep =
	"wait_for_vfork_done(): TASK_KILLABLE until complete_vfork_done()";
static const char *const goes_on = "mm_release(): complete_vfork_done()";

/* C, by vfork() of the leader of P, which takes no orders until C lets go. */
static struct actor *vfork_by(struct actor *p)
{
	struct actor *c = spawn_clone(p, "C", CLONE_VFORK, SIGCHLD);

	expect_state(leader(p), 'D', asleep);
	expect_asleep_in(leader(p), "kernel_clone", asleep);
	return c;
}

static bool pending(struct thread *t, int sig)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	return st.sigpnd >> (sig - 1) & 1;
}

static void until(void)
{
	struct actor *p, *c;
	struct thread *t;

	step("the leader of P calls vfork(); it gets SIGUSR1, which P catches");
	p = spawn("P");
	t = thread(p, "T");
	ask(t, order_sigaction, SIGUSR1, DISPOSE_CATCH);
	c = vfork_by(p);
	expect_verdict(p);
	send_thread(leader(p), SIGUSR1);
	expect(pending(leader(p), SIGUSR1), "signal_wake_up_state(): not fatal",
	       "SIGUSR1 pending for the leader: %s",
	       pending(leader(p), SIGUSR1) ? "yes" : "no");
	expect_equal(ask(t, order_caught, SIGUSR1, 0), 0,
		     "times P caught SIGUSR1", asleep);
	expect_state(leader(p), 'D', asleep);

	step("C calls exec: the leader goes on, while C lives");
	tell(leader(c), order_exec, 0, 0);
	expect_execed(leader(c), "begin_new_exec()");
	expect_state(leader(p), 'S', goes_on);
	expect_equal(ask(leader(p), order_caught, SIGUSR1, 0), 1,
		     "times P caught SIGUSR1",
		     "get_signal(): back to user mode");
	expect_wait(leader(p), c->pid, WEXITED | WNOHANG, 0, "C is alive");
	exit_group(leader(c), 7);
	expect_wait(leader(p), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");

	step("the next C ends without exec: the leader goes on and can wait");
	c = vfork_by(p);
	exit_group(leader(c), 5);
	expect_state(leader(p), 'S', goes_on);
	expect_wait(leader(p), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 5),
		    "wait_task_zombie()");
}

SCENARIO(vfork_until) = {
	.name = "vfork",
	.summary =
		"the parent sleeps in vfork() until the child execs or ends, whatever signal comes",
	.rows = "VF1.2",
	.needs = NEED_ROOT,
	.verdict = "vfork-parent",
	.play = until,
};

static void killed(void)
{
	struct actor *p, *c;
	struct thread *t;

	step("the leader of P sleeps in vfork(), T is healthy; P is killed");
	p = spawn("P");
	t = thread(p, "T");
	c = vfork_by(p);
	expect_state(t, 'S', "recvmsg(): T is healthy");
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL, "wait_for_vfork_done(): killed, it gives up");

	step("C is alive, and the runner's now");
	expect_state(leader(c), 'S', "recvmsg(): C is healthy");
	expect_equal(ask(leader(c), order_getppid, 0, 0), getpid(),
		     "getppid() of C", "forget_original_parent()");
	expect_no_sigchld(c, "reparent_leader(): C is alive");
	exit_group(leader(c), 5);
	expect_death(c, CODE(5), "wait_for_vfork_done(): vfork_done is NULL");

	step("SIGTERM ends it too: a signal that is fatal");
	p = spawn("P");
	c = vfork_by(p);
	send_signal(p, SIGTERM);
	expect_death(p, SIGTERM, "complete_signal(): fatal, SIGKILL to all");
	exit_group(leader(c), 3);
	expect_death(c, CODE(3), "wait_for_vfork_done(): vfork_done is NULL");
}

SCENARIO(vfork_killed) = {
	.name = "vfork-killed",
	.summary =
		"the parent in vfork() is killed: it dies at once, the child lives on",
	.rows = "VF1.1 A64",
	.needs = NEED_ROOT,
	.play = killed,
};

static bool stop_pending(struct actor *p)
{
	struct proc_status st;

	if (proc_status(p->pid, 0, &st))
		broken("%s %d is gone", p->name, p->pid);
	return st.shdpnd >> (SIGSTOP - 1) & 1;
}

static void stopped(void)
{
	struct actor *p, *c;
	struct thread *t;

	step("the leader of P sleeps in vfork(); P gets SIGSTOP: the leader is to take it");
	p = spawn("P");
	t = thread(p, "T");
	c = vfork_by(p);
	send_signal(p, SIGSTOP);
	expect(stop_pending(p), "complete_signal(): wakes the leader only",
	       "SIGSTOP pending for P: %s", stop_pending(p) ? "yes" : "no");
	expect_equal(ask(t, order_getppid, 0, 0), getpid(), "getppid() of T",
		     "T goes on as if nothing had come");

	step("T gets one of its own: T stops, and P has not");
	send_thread(t, SIGSTOP);
	expect_state(t, 'T', "do_signal_stop()");
	expect_state(leader(p), 'D', asleep);
	expect_no_sigchld(p, "do_signal_stop(): group_stop_count is 1");
	expect_no_event(p, WSTOPPED, "wait_task_stopped(): not all of P");

	step("C calls exec: the leader stops, and with it P");
	tell(leader(c), order_exec, 0, 0);
	expect_execed(leader(c), "begin_new_exec()");
	expect_state(leader(p), 'T', "get_signal(): do_signal_stop()");
	expect_sigchld(p, CLD_STOPPED, SIGSTOP,
		       "do_signal_stop(): the last thread");
	send_signal(p, SIGCONT);
	expect_state(leader(p), 'S', "prepare_signal(SIGCONT)");
}

SCENARIO(vfork_stopped) = {
	.name = "vfork-stopped",
	.summary =
		"a process is stopped while a thread of it sleeps in vfork(): it has not, until that returns",
	.rows = "VF1.2",
	.needs = NEED_ROOT,
	.play = stopped,
};

/**
 * struct spot - where C is held
 * @what:   for people
 * @where, @points: as hold_in_exit() and gate_of() want them, 0: gate()
 * @exec:   by exec; else it ends
 * @second: C has a second thread, or its tid address is not looked at
 * @free:   it has let go of its memory by then
 */
struct spot {
	const char *what;
	enum exit_point where;
	unsigned int points;
	bool exec, second, free;
};

static void held_at(const struct spot *s)
{
	struct actor *p, *c;
	int g = s->points ? gate_of(s->points, UNDEAD_KIND_UNINTERRUPTIBLE) :
			    gate();

	step("the leader of P sleeps in vfork(), and C is held in %s", s->what);
	p = spawn("P");
	c = vfork_by(p);
	if (s->second)
		thread(c, "U");
	arm_exit(leader(c), g, s->where);
	if (s->exec)
		tell(leader(c), order_exec, 0, 0);
	else if (s->second)
		exit_thread(leader(c), 5);
	else
		exit_group(leader(c), 5);
	await_held(leader(c), g, 1);
	if (s->free) {
		expect_state(leader(p), 'S', goes_on);
		expect_equal(ask(leader(p), order_getppid, 0, 0), getpid(),
			     "getppid() of P", "it takes orders again");
		expect_state(leader(c), 'D', "wait_event()");
		expect_equal(release(g), 1, "threads released", "it held C");
	} else {
		expect_asleep_in(leader(p), "kernel_clone", asleep);
		expect_state(leader(p), 'D', asleep);
		expect_equal(release(g), 1, "threads released", "it held C");
		expect_state(leader(p), 'S', goes_on);
	}
	if (s->exec)
		expect_execed(leader(c), "begin_new_exec()");
}

static void held(void)
{
	/*
	 * Files are closed before exec_mmap() lets the memory go: 6.12; after
	 * that, and with exec_update_lock: 6.1.
	 */
	const struct spot spots[] = {
		{ .what = "exit_mm(), before it lets go",
		  .where = IN_MM_RELEASE,
		  .second = true },
		{ .what = "exit_files()", .where = IN_FILES, .free = true },
		{ .what = "exit_aio()",
		  .where = IN_AIO,
		  .points = 1U << UNDEAD_POINT_AIO,
		  .free = true },
		{ .what = "exit_mmap()",
		  .where = IN_MMAP,
		  .points = 1U << UNDEAD_POINT_VMA_CLOSE,
		  .free = true },
		{ .what = "exec, closing a file",
		  .where = IN_FILES,
		  .exec = true,
		  .free = kernel_before(6, 12) },
		{ .what = "exec, the end of its old memory",
		  .where = IN_MMAP,
		  .points = 1U << UNDEAD_POINT_VMA_CLOSE,
		  .exec = true,
		  .free = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(spots); i++)
		held_at(&spots[i]);
}

SCENARIO(vfork_child_held) = {
	.name = "vfork-child-held",
	.summary =
		"the child of vfork() is stuck at its end or in exec: when the parent goes on",
	.rows = "VF1.2 A64",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = held,
};
