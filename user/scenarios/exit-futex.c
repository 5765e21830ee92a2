// SPDX-License-Identifier: GPL-2.0
/*
 * A thread ends and owns a PI futex: whoever waits for it gets it, and is told
 * that its owner has died.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* In P, which the runner does not share memory with. */
static _Atomic uint32_t word;

static int64_t order_lock(const struct order *o)
{
	(void)o;
	return syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL) < 0 ?
		       -errno :
		       0;
}

static int64_t order_word(const struct order *o)
{
	(void)o;
	return word;
}

static bool asleep_in_futex(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;

	return !proc_status(t->actor->pid, t->tid, &st) && st.state == 'S' &&
	       proc_syscall(t->actor->pid, t->tid) == SYS_futex;
}

static void play(void)
{
	struct thread *t, *u;
	struct actor *p;
	int64_t r = 0;
	int err;

	step("T owns a PI futex, U waits for it");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	r = ask(t, order_lock, 0, 0);
	if (r == -ENOSYS)
		skip("this kernel has no PI futexes");
	expect_equal(r, 0, "FUTEX_LOCK_PI by T", "futex_lock_pi()");
	tell(u, order_lock, 0, 0);
	expect(await_true(asleep_in_futex, u, AWAIT_MS), "futex_lock_pi()",
	       "U sleeps in futex()");

	step("T ends by SYS_exit: U has the futex, and knows of the death");
	exit_thread(t, 5);
	expect_gone(t, "release_task()");
	err = thread_result(u, AWAIT_MS, &r);
	expect(!err && !r, "exit_pi_state_list(): the next one gets it",
	       "FUTEX_LOCK_PI by U: %s", err ? "no reply" : "returned");
	r = ask(leader(p), order_word, 0, 0);
	expect((r & FUTEX_TID_MASK) == u->tid && r & FUTEX_OWNER_DIED,
	       "fixup_pi_state_owner(): the owner is gone",
	       "the futex: owner %lld, %sowner died (expected %d, owner died)",
	       (long long)(r & FUTEX_TID_MASK),
	       r & FUTEX_OWNER_DIED ? "" : "no ", u->tid);

	step("U, the owner now, ends with the process");
	exit_group(u, 7);
	expect_death(p, 7 << 8, "do_group_exit()");
}

SCENARIO(exit_futex) = {
	.name = "exit-pi-futex",
	.summary =
		"the owner of a PI futex ends: whoever waits for it gets it, and is told",
	.needs = NEED_ROOT,
	.play = play,
};
