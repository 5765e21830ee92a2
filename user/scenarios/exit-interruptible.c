// SPDX-License-Identifier: GPL-2.0
/*
 * A sleep in do_exit() that signals may interrupt, a flush for one: whether it is
 * one depends on how the process was killed. What was sent to the process stays
 * in its queue, as nobody takes it from there, and so there is a signal for the
 * dying to the end.
 */
#include <signal.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../scenario.h"

static struct actor *armed(int *g)
{
	struct actor *p = spawn("P");

	*g = gate_of(1U << UNDEAD_POINT_FLUSH, UNDEAD_KIND_INTERRUPTIBLE);
	arm_exit(leader(p), *g, IN_FILES);
	return p;
}

static void expect_held(struct actor *p, int g, int status, const char *why)
{
	expect_asleep_in(leader(p), "do_exit", "exit_files(): flush of a file");
	expect_state(leader(p), 'S', why);
	expect_equal(release(g), 1, "threads released", "it slept on");
	expect_death(p, status, "do_group_exit()");
}

static void play(void)
{
	struct undead_counters c = { 0 };
	struct actor *p;
	int g;

	step("P ends by exit_group(7): its flush sleeps on");
	p = armed(&g);
	exit_group(leader(p), 7);
	expect_held(p, g, 7 << 8, "do_group_exit(): no signal");

	step("the thread is killed by tgkill(): it sleeps on, too");
	p = armed(&g);
	send_thread(leader(p), SIGKILL);
	expect_held(p, g, SIGKILL,
		    "get_signal(): SIGKILL is deleted from its own queue");

	step("the process is killed by kill(): the flush does not sleep at all");
	p = armed(&g);
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL,
		     "get_signal(): SIGNAL_GROUP_EXIT, so that the queue of the process keeps SIGKILL");
	if (dev_counters(g, &c))
		broken("no counters of the gate");
	expect_equal((int64_t)c.admitted, 1, "threads admitted at the gate",
		     "exit_files(): it was there");
	expect_equal((int64_t)c.released[UNDEAD_REASON_SIGNAL], 1,
		     "of them interrupted", "signal_pending() in do_exit()");
}

SCENARIO(exit_interruptible) = {
	.name = "exit-interruptible",
	.summary =
		"surprise: an interruptible sleep in exit is none after kill(), and is one after tgkill()",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = play,
};
