// SPDX-License-Identifier: GPL-2.0
/*
 * What a parent R makes of SIGCHLD decides whether its dead child C becomes a
 * zombie: do_notify_parent() reaps it on the spot when SIGCHLD is ignored or
 * SA_NOCLDWAIT is set, and the signal is sent all the same with a handler.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../scenario.h"

struct row {
	const char *what;
	int how; /* DISPOSE_* */
	bool autoreap;
	int caught; /* times R's handler ran */
	const char *why;
};

static void one_row(const struct row *row)
{
	struct actor *r, *c;
	int64_t result;

	step("SIGCHLD of R: %s", row->what);
	r = spawn("R");
	expect_equal(ask(leader(r), order_sigaction, SIGCHLD, row->how), 0,
		     "sigaction() in R", "do_sigaction()");
	c = spawn_by(r, "C");
	exit_group(leader(c), 7);
	expect_wakeup(c->pidfd, "pidfd of C", "do_notify_pidfd()");
	if (row->autoreap) {
		expect_gone(leader(c), row->why);
		result = -ECHILD;
	} else {
		expect_state(leader(c), 'Z', row->why);
		result = (int64_t)c->pid << 24 | CLD_EXITED << 16 | 7;
	}
	expect_equal(ask(leader(r), order_wait, 0, WEXITED), result,
		     "waitid(P_ALL, WEXITED) in R, packed",
		     "do_wait(): a child to reap, or none at all");
	expect_caught(leader(r), SIGCHLD, row->caught,
		      "do_notify_parent(): SIG_IGN makes sig 0, SA_NOCLDWAIT does not");
	send_signal(r, SIGKILL);
	reap(r);
}

static void play(void)
{
	static const struct row rows[] = {
		{ "default", DISPOSE_DEFAULT, false, 0,
		  "do_notify_parent(): no autoreap" },
		{ "caught", DISPOSE_CATCH, false, 1,
		  "do_notify_parent(): no autoreap" },
		{ "ignored", DISPOSE_IGNORE, true, 0,
		  "do_notify_parent(): SIG_IGN is autoreap" },
		{ "default with SA_NOCLDWAIT", DISPOSE_DEFAULT_NOCLDWAIT, true,
		  0, "do_notify_parent(): SA_NOCLDWAIT is autoreap" },
		{ "caught with SA_NOCLDWAIT", DISPOSE_CATCH_NOCLDWAIT, true, 1,
		  "do_notify_parent(): SA_NOCLDWAIT is autoreap" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		one_row(&rows[i]);
}

SCENARIO(sigchld) = {
	.name = "sigchld",
	.summary =
		"SIGCHLD default, caught, ignored, SA_NOCLDWAIT: zombie or not, told or not",
	.rows = "EN7 EN8 NP3.1 NP4 NP7.1",
	.play = play,
};

/* The wait of somebody who ignores SIGCHLD ends with the last child. */
static void last_child(void)
{
	struct actor *r, *a, *b;
	struct thread *w;
	int64_t result = 0;
	int err;

	step("R ignores SIGCHLD, has two children, and waits in a thread");
	r = spawn("R");
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	a = spawn_by(r, "A");
	b = spawn_by(r, "B");
	w = thread(r, "W");
	tell(w, order_wait, 0, WEXITED);

	step("the first child ends: the wait goes on");
	exit_group(leader(a), 1);
	expect_gone(leader(a), "exit_notify(): EXIT_DEAD, release_task()");
	barrier();
	expect_state(w, 'S', "do_wait(): sleeps again, B is alive");
	err = thread_result(w, 0, &result);
	expect_equal(err, -ETIMEDOUT, "waitid(P_ALL) of R: no reply",
		     "__wake_up_parent() woke it, do_wait() found B alive");

	step("the last child ends: the wait says ECHILD");
	exit_group(leader(b), 2);
	err = thread_result(w, AWAIT_MS, &result);
	expect(!err && result == -ECHILD,
	       "do_notify_parent(): __wake_up_parent() also when it autoreaps",
	       "waitid(P_ALL) of R: %s %lld", err ? "no reply" : "returned",
	       (long long)result);
}

SCENARIO(wait_last_child) = {
	.name = "wait-last-child",
	.summary =
		"SIGCHLD ignored: a blocked wait returns ECHILD when the last child is gone",
	.rows = "NP8.1",
	.play = last_child,
};
