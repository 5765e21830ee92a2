// SPDX-License-Identifier: GPL-2.0
/*
 * The trace event sched_process_exit: where in do_exit() it is, and which
 * thread it calls the last one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../core/count.h"
#include "../scenario.h"

/* @and: "", or more of a filter. */
static bool counter(struct counter *c, struct thread *t, const char *and)
{
	char filter[64];
	int err;

	snprintf(filter, sizeof(filter), "pid==%d%s", t->tid, and);
	err = count_open(c, "sched/sched_process_exit", filter);
	if (err && err != -EINVAL)
		skip("no sched_process_exit (is tracefs on /sys/kernel/tracing?): %s",
		     strerror(-err));
	return !err;
}

static void play(void)
{
	/* Moved by "exit: move and extend sched_process_exit() tracepoint". */
	bool early = !kernel_before(6, 16);
	struct actor *p;
	struct thread *t;
	struct counter t_exits, t_last, l_last;
	bool tells_last;
	int g;

	step("P: T ends and is held in exit_mm()");
	p = spawn("P");
	t = thread(p, "T");
	g = gate();
	if (!counter(&t_exits, t, ""))
		broken("sched_process_exit does not tell the pid");
	tells_last = counter(&t_last, t, " && group_dead==1") &&
		     counter(&l_last, leader(p), " && group_dead==1");
	hold_in_exit(t, g, IN_MM_RELEASE, 5);
	expect_equal(count(&t_exits), early, "sched_process_exit for T",
		     early ? "do_exit(): before exit_mm()" :
			     "do_exit(): after exit_mm()");

	step("T goes on, then the leader ends");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(t, "release_task()");
	expect_equal(count(&t_exits), 1, "sched_process_exit for T",
		     "do_exit(): once");
	exit_thread(leader(p), 3);
	expect_death(p, 3 << 8, "synchronize_group_exit()");
	if (!tells_last) {
		note("the event has no field group_dead (6.16 has it)");
		return;
	}
	expect_equal(count(&t_last), 0, "the same for T, with group_dead",
		     "do_exit(): signal->live was 2");
	expect_equal(count(&l_last), 1, "the same for the leader",
		     "do_exit(): signal->live has come to 0");
}

static const char *const watches[] = {
	"\"exit: move and extend sched_process_exit() tracepoint\", 6.16", NULL
};

SCENARIO(exit_event) = {
	.name = "exit-event",
	.summary =
		"sched_process_exit: before or after the memory goes, and group_dead",
	.rows = "A39",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.play = play,
};
