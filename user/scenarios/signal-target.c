// SPDX-License-Identifier: GPL-2.0
/*
 * Of the threads that want a signal of the process, the leader not being one, the
 * one that took the last takes the next: curr_target. That another thread ends
 * does not change it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../core/await.h"
#include "../scenario.h"

/* In the process: who took it. */
static _Atomic pid_t taken_by;

static void take(int sig)
{
	(void)sig;
	taken_by = gettid();
}

static int64_t order_take(const struct order *o)
{
	(void)o;
	return signal(SIGUSR1, take) == SIG_ERR ? -errno : 0;
}

/* 0: nobody; it is forgotten. */
static int64_t order_taken(const struct order *o)
{
	(void)o;
	return atomic_exchange(&taken_by, 0);
}

struct taking {
	struct actor *p;
	int64_t tid;
};

static bool taken(void *arg)
{
	struct taking *t = arg;

	t->tid = ask(leader(t->p), order_taken, 0, 0);
	return t->tid;
}

static void expect_taken(struct actor *p, struct thread *by, const char *why)
{
	struct taking t = { .p = p };

	send_signal(p, SIGUSR1);
	await_true(taken, &t, AWAIT_MS);
	expect_equal(t.tid, by->tid, "tid that took SIGUSR1", why);
}

static void play(void)
{
	struct thread *a, *b, *c;
	struct actor *p;

	step("P has the threads A, B, C; its leader blocks SIGUSR1");
	p = spawn("P");
	a = thread(p, "A");
	b = thread(p, "B");
	c = thread(p, "C");
	ask(leader(p), order_take, 0, 0);
	ask(leader(p), order_sigmask, SIG_BLOCK, SIGUSR1);
	expect_taken(p, a,
		     "complete_signal(): the next that wants it, curr_target now");

	step("B ends: A takes the next one, too");
	exit_thread(b, 5);
	expect_gone(b, "release_task(B)");
	expect_taken(p, a, "__exit_signal(): curr_target is not B, it stays");

	step("A blocks it: C takes it, and the next one too when A wants it again");
	ask(a, order_sigmask, SIG_BLOCK, SIGUSR1);
	expect_taken(p, c, "complete_signal(): A does not want it");
	ask(a, order_sigmask, SIG_UNBLOCK, SIGUSR1);
	expect_taken(p, c, "complete_signal(): curr_target is C now");
}

SCENARIO(signal_target) = {
	.name = "signal-target",
	.summary =
		"the thread that took the last signal takes the next, whoever else ends",
	.rows = "RT6.2",
	.play = play,
};
