// SPDX-License-Identifier: GPL-2.0
/*
 * A core dump, seen from the exit path: the other threads park in do_exit()
 * until it is over, and it begins when the last of them has come there.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

/* Somewhere to dump to, that goes with the process: a mount of its own. */
static int64_t order_private_folder(const struct order *o)
{
	(void)o;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0)
		return -errno;
	return 0;
}

/* With a core dump of at most arg[0] bytes. */
static int64_t order_abort(const struct order *o)
{
	struct rlimit lim = { (rlim_t)o->arg[0], (rlim_t)o->arg[0] };

	if (setrlimit(RLIMIT_CORE, &lim) < 0)
		return -errno;
	abort();
}

/* Of dumps to a file it says nothing, be there PIDFD_INFO_COREDUMP (6.16). */
static void expect_no_dump_told(struct actor *p)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT |
					   PIDFD_INFO_COREDUMP_BIT };
	int err = pidfd_details(p->pidfd, &d);

	if (err || !(d.mask & PIDFD_INFO_EXIT_BIT)) {
		note("a pidfd tells nothing of the dead here (6.15 has it)");
		return;
	}
	expect(!d.coredump_mask,
	       "pidfs_coredump(): called for a dump to a socket only",
	       "PIDFD_GET_INFO of %s: mask %#llx, coredump_mask %#x (expected 0)",
	       p->name, (unsigned long long)d.mask, d.coredump_mask);
}

static void dumped(void)
{
	char pattern[128] = "";
	struct actor *p;

	proc_read(1, 0, "../sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (*pattern == '|' || *pattern == '/')
		skip("core_pattern is no plain name: a dump would go elsewhere");
	step("P aborts and dumps core");
	p = spawn("P");
	if (ask(leader(p), order_private_folder, 0, 0))
		broken("P cannot make a folder of its own");
	tell(leader(p), order_abort, 64 << 20, 0);
	expect_death(p, SIGABRT | 0x80,
		     "do_notify_parent(): exit_code & 0x80: CLD_DUMPED");
	expect_no_dump_told(p);

	step("Q aborts and may not dump");
	p = spawn("Q");
	tell(leader(p), order_abort, 0, 0);
	expect_death(p, SIGABRT, "do_notify_parent(): CLD_KILLED");
	expect_no_dump_told(p);

	step("R exits by itself: neither");
	p = spawn("R");
	exit_group(leader(p), 7);
	expect_death(p, 7 << 8, "do_notify_parent(): CLD_EXITED");
}

SCENARIO(exit_code_dumped) = {
	.name = "exit-code-dumped",
	.summary =
		"aborted with and without a core dump, or not at all: 0x80 says so everywhere",
	.rows = "NP2 WZ8 CD3.1 A13",
	.needs = NEED_ROOT,
	.play = dumped,
};

static void parked(void)
{
	struct actor *p;
	struct thread *t, *u;
	/* Commit b8e753128ed0 ("exit: Sleep at TASK_IDLE when waiting for
	 * application core dump"), 6.12, and stable kernels since 2026.
	 */
	char seen;
	int g = gate();

	step("P: U is in D in the device, the leader aborts");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	hold_read(u, g);
	tell(leader(p), order_abort, 0, 0);

	step("the dump waits for U; T is parked in do_exit() until it is over");
	expect_asleep_in(leader(p), "coredump",
			 "coredump_wait(): U is not dying yet");
	expect_asleep_in(t, "do_exit", "coredump_task_exit(): core_state");
	seen = await_state(p->pid, t->tid, 'I',
			   kernel_before(6, 12) ? 0 : AWAIT_MS);
	expect(seen == 'I' || (kernel_before(6, 12) && seen == 'D'),
	       "coredump_task_exit(): TASK_IDLE, before 6.12 uninterruptible",
	       "T %d is %c", t->tid, seen);
	expect_state(u, 'D', "wait_event()");

	step("SIGKILL cannot end it: the one in D counts");
	send_signal(p, SIGKILL);
	expect_asleep_in(t, "do_exit", "coredump_task_exit()");
	expect_state(leader(p), 'D', "coredump_wait(): uninterruptible");
	expect_no_sigchld(p, "nobody has got to exit_notify()");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");

	step("U is released: it parks too, nothing is dumped, all die of SIGKILL");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_wakeup(p->pidfd, "pidfd of P", "coredump_finish() wakes them");
	expect_death(p, SIGKILL,
		     "complete_signal(): core_state lets it in; coredump_finish(): no 0x80");
	expect_gone(leader(p), "release_task()");
}

SCENARIO(dump_parks) = {
	.name = "dump-parks",
	.summary =
		"a core dump waits for a thread in D; the other threads wait in exit",
	.rows = "DE2.1 CD2.2 CD3.2 A61",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "core-dump",
	.play = parked,
};

static void trapped(void)
{
	struct actor *p, *x;
	struct thread *t;
	int last, g = gate();

	step("T, a thread of P, is in D; X seizes and interrupts it; P aborts");
	p = spawn("P");
	t = thread(p, "T");
	x = spawn("X");
	last = gate_of(1U << UNDEAD_POINT_FLUSH, UNDEAD_KIND_INTERRUPTIBLE);
	arm_exit(t, last, IN_FILES);
	trace(leader(x), PTRACE_SEIZE, t, 0);
	hold_read(t, g);
	trace(leader(x), PTRACE_INTERRUPT, t, 0);
	tell(leader(p), order_abort, 0, 0);
	expect_asleep_in(leader(p), "coredump",
			 "coredump_wait(): T is not dying yet");

	step("T is released: it dies, and the trap does not disturb it");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_asleep_in(t, "do_exit",
			 "zap_process(): JOBCTL_TRAP_STOP is cleared");
	expect_state(t, 'S', "exit_files(): it sleeps, interruptible");
	expect_equal(release(last), 1, "threads released", "it held T");
	expect_wait(leader(x), t->tid, WEXITED,
		    WAITED(t->tid, CLD_KILLED, SIGABRT),
		    "zap_process(): group_exit_code");
	expect_death(p, SIGABRT, "do_notify_parent(): CLD_KILLED");
}

SCENARIO(dump_trapped) = {
	.name = "dump-trapped",
	.summary =
		"a thread in D shall stop for its tracer, and the process dumps core",
	.rows = "CD2.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = trapped,
};

static void killable(void)
{
	struct thread *t;
	struct actor *p;
	int g = gate_of(1U << UNDEAD_POINT_READ, UNDEAD_KIND_KILLABLE);

	step("T, a thread of P, sleeps killably in the device; P aborts: T dies");
	p = spawn("P");
	t = thread(p, "T");
	hold_read(t, g);
	tell(leader(p), order_abort, 0, 0);
	expect_gone(t,
		    "zap_process(): SIGKILL for T, so that it is not waited for");
	expect_death(p, SIGABRT, "do_notify_parent(): CLD_KILLED");
}

SCENARIO(dump_killable) = {
	.name = "dump-killable",
	.summary =
		"a core dump does not wait for a thread in a sleep that is killable",
	.rows = "CD2.2",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = killable,
};
