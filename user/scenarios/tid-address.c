// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_CHILD_CLEARTID, set_tid_address(): when a thread ends the kernel writes
 * 0 there and wakes who waits, if anybody is left who has that memory.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* In memory that R shares with the children it forks. */
static int *word;

/* Returns its address, which a twin needs. */
static int64_t order_share(const struct order *o)
{
	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)o;
	return word == MAP_FAILED ? -errno : (int64_t)(uintptr_t)word;
}

static int64_t order_word(const struct order *o)
{
	(void)o;
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static int64_t order_set_word(const struct order *o)
{
	__atomic_store_n(word, (int)o->arg[0], __ATOMIC_SEQ_CST);
	return 0;
}

static int64_t order_tid_address(const struct order *o)
{
	(void)o;
	return syscall(SYS_set_tid_address, word) == gettid() ? 0 : -EPROTO;
}

static int64_t order_futex_wait(const struct order *o)
{
	return syscall(SYS_futex, word, FUTEX_WAIT, (int)o->arg[0], NULL, NULL,
		       0) < 0 ?
		       -errno :
		       0;
}

static bool in_futex(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;

	return !proc_status(t->actor->pid, t->tid, &st) && st.state == 'S' &&
	       proc_syscall(t->actor->pid, t->tid) == SYS_futex;
}

static void wait_for_word(struct thread *w, int value)
{
	ask(w, order_set_word, value, 0);
	tell(w, order_futex_wait, value, 0);
	if (!await_true(in_futex, w, AWAIT_MS))
		broken("W is not seen asleep in futex()");
}

static void expect_cleared(struct actor *r, struct thread *w, const char *why)
{
	int64_t woken = -1;
	int err = thread_result(w, AWAIT_MS, &woken);

	expect(!err && !woken, why, "futex(FUTEX_WAIT) of W: %s",
	       err   ? "still asleep" :
	       woken ? "an error" :
		       "woken");
	expect_equal(ask(leader(r), order_word, 0, 0), 0, "the word", why);
}

static void play(void)
{
	struct actor *r, *c;
	struct thread *w, *t;
	int64_t address;

	step("C, alone in its memory, ends: nobody could see it, it is left out");
	r = spawn("R");
	w = thread(r, "W");
	address = ask(leader(r), order_share, 0, 0);
	if (address < 0)
		broken("R cannot share a page");
	c = spawn_by(r, "C");
	ask(leader(c), order_tid_address, 0, 0);
	wait_for_word(w, 77);
	exit_group(leader(c), 5);
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 5),
		    "wait_task_zombie(): it is past exit_mm()");
	expect_equal(ask(leader(r), order_word, 0, 0), 77, "the word",
		     "exit_mm_release(): mm_users is 1");
	expect(await_true(in_futex, w, AWAIT_MS),
	       "exit_mm_release(): mm_users is 1",
	       "futex(FUTEX_WAIT) of W: asleep");

	step("D has another thread T, which ends: 0, and W is woken");
	c = spawn_by(r, "D");
	t = thread(c, "T");
	ask(t, order_tid_address, 0, 0);
	exit_thread(t, 3);
	expect_cleared(r, w, "exit_mm_release(): mm_users is 2");
	exit_group(leader(c), 7);
	expect_wait(leader(r), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");

	step("a process that shares the memory of R is killed: the same");
	wait_for_word(w, 78);
	c = spawn_twin(leader(r), "E", address, 0);
	expect_state(leader(c), 'S', "rt_sigtimedwait()");
	send_signal(c, SIGKILL);
	expect_cleared(r, w,
		       "exit_mm_release(): also when it did not end by itself");
	expect_wait(leader(r), c->pid, WEXITED,
		    WAITED(c->pid, CLD_KILLED, SIGKILL), "wait_task_zombie()");
}

SCENARIO(tid_address) = {
	.name = "tid-address",
	.summary =
		"CLONE_CHILD_CLEARTID: 0 is written if anybody else has that memory",
	.rows = "VF2 A65",
	.play = play,
};
