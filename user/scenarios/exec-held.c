// SPDX-License-Identifier: GPL-2.0
/*
 * A process that has called exec, is alone already, and sleeps on its way to the
 * new program: it closes a file, looks at its robust futexes, or lets its old
 * memory go. No signal reaches it; killed, it dies when it goes on.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../core/dev.h"
#include "../core/proc.h"
#include "../scenario.h"

/* The kernel reads there when the thread ends or calls exec: the first touch. */
static int64_t order_robust(const struct order *o)
{
	return syscall(SYS_set_robust_list, o->arg[0],
		       sizeof(struct robust_list_head)) < 0 ?
		       -errno :
		       0;
}

static void arm_robust(struct thread *t, int gate_fd)
{
	if (ask(t, order_robust, map_gate(t, gate_fd), 0))
		broken("%s cannot set its robust list", t->name);
}

/**
 * struct spot - where exec is held
 * @what:     for people
 * @where:    as arm_exit() wants it
 * @robust:   by the robust list instead
 * @points:   of the gate, 0: those of gate()
 * @function: on the stack there; NULL: who reads that is stuck, too, on kernels
 *            where it holds exec_update_lock (see proc-files)
 */
struct spot {
	const char *what;
	enum exit_point where;
	bool robust;
	unsigned int points;
	const char *function;
};

/* P, whose leader has called exec and is held; the thread T is gone. */
static struct actor *exec_at(const struct spot *s, int *g)
{
	struct actor *p = spawn("P");
	struct thread *t = thread(p, "T"), *only = leader(p);

	*g = s->points ? gate_of(s->points, UNDEAD_KIND_UNINTERRUPTIBLE) :
			 gate();
	if (s->robust)
		arm_robust(leader(p), *g);
	else
		arm_exit(leader(p), *g, s->where);
	tell(leader(p), order_exec, 0, 0);
	await_held(leader(p), *g, 1);
	expect_gone(t, "de_thread(): it is past that");
	if (s->function)
		expect_asleep_in(leader(p), s->function, "begin_new_exec()");
	expect_tasks(p, &only, 1, "de_thread(): the group has one thread");
	expect_no_wakeup(p->pidfd, "pidfd of P", "the process goes on");
	return p;
}

static void held_at(const struct spot *s)
{
	struct actor *p;
	int g;

	step("P calls exec and is held: %s", s->what);
	p = exec_at(s, &g);
	send_signal(p, SIGTERM);
	expect_state(leader(p), 'D', "wait_event(): deaf");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'D', "wait_event(): deaf to that, too");
	expect_verdict(p);
	expect_no_sigchld(p, "it has not got to do_exit()");
	expect_no_event(p, WEXITED, "wait_consider_task(): no exit_state");
	expect_equal(release(g), 1, "threads released", "it held P");
	expect_death(p, SIGTERM,
		     "bprm_execve(): a fatal signal is pending, the first counts");

	step("another goes on, and is the new program");
	p = exec_at(s, &g);
	expect_equal(release(g), 1, "threads released", "it held P");
	expect_execed(leader(p), "begin_new_exec()");
	exit_group(leader(p), 7);
	expect_death(p, 7 << 8, "do_group_exit()");
}

static void in_flush(void)
{
	static const struct spot spot = {
		.what = "it closes a file, for close-on-exec",
		.where = IN_FILES,
	};

	held_at(&spot);
}

SCENARIO(exec_held_flush) = {
	.name = "exec-held-flush",
	.summary = "exec is stuck in the close of a file, and cannot be killed",
	.rows = "HE1.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exec",
	.play = in_flush,
};

static void in_robust(void)
{
	static const struct spot spot = {
		.what = "it looks at its robust futexes",
		.robust = true,
		.function = "exec_mm_release",
	};

	held_at(&spot);
}

SCENARIO(exec_held_fault) = {
	.name = "exec-held-fault",
	.summary =
		"exec is stuck in a page fault, as it lets go of its memory, and cannot be killed",
	.rows = "HE1.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exec",
	.play = in_robust,
};

static void in_mmap(void)
{
	static const struct spot spot = {
		.what = "its old memory goes",
		.where = IN_MMAP,
		.points = 1U << UNDEAD_POINT_VMA_CLOSE,
	};

	held_at(&spot);
}

SCENARIO(exec_held_mmap) = {
	.name = "exec-held-mmap",
	.summary =
		"exec is stuck in the end of a mapping of the old program, and cannot be killed",
	.rows = "HE2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "stuck-in-exec",
	.play = in_mmap,
};
