// SPDX-License-Identifier: GPL-2.0
/*
 * The trace event sched_process_exit: where in do_exit() it is, and which
 * thread it calls the last one. Counted by perf, so that nothing is left
 * switched on.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scenario.h"

#define EVENT "/sys/kernel/tracing/events/sched/sched_process_exit/id"

static uint64_t event_id(void)
{
	_cleanup_close_ int fd = open(EVENT, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		skip("no " EVENT ": mount tracefs on /sys/kernel/tracing");
	return strtoull(text, NULL, 10);
}

/**
 * struct counter - how often it happened to a thread
 * @fd: on each CPU: a counter that belongs to the thread is detached before
 *      exit_mm() since commit 4f6fc7821283 ("perf: Fix sample vs do_exit()")
 * @nr: of CPUs; 0: the event does not have what was asked for
 */
struct counter {
	int fd[256];
	int nr;
};

/* @and: "", or more of a filter. */
static struct counter counter(struct thread *t, const char *and)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = event_id(),
		/* Until it has its filter: others exit, too. */
		.disabled = 1,
	};
	struct counter c = { .nr = 0 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char filter[64];

	snprintf(filter, sizeof(filter), "pid==%d%s", t->tid, and);
	for (int cpu = 0; cpu < cpus && cpu < (int)ARRAY_SIZE(c.fd); cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
				      PERF_FLAG_FD_CLOEXEC);

		if (fd < 0)
			skip("perf_event_open(): %m");
		c.fd[cpu] = fd;
		if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0)
			return (struct counter){ .nr = 0 };
		if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			broken("PERF_EVENT_IOC_ENABLE: %m");
		c.nr++;
	}
	return c;
}

static int64_t count(const struct counter *c)
{
	uint64_t sum = 0, n;

	for (int cpu = 0; cpu < c->nr; cpu++) {
		if (read(c->fd[cpu], &n, sizeof(n)) != sizeof(n))
			return -1;
		sum += n;
	}
	return (int64_t)sum;
}

static void play(void)
{
	/* Moved by "exit: move and extend sched_process_exit() tracepoint". */
	bool early = !kernel_before(6, 16);
	struct actor *p;
	struct thread *t;
	struct counter t_exits, t_last, l_last;
	int g;

	step("P: T ends and is held in exit_mm()");
	p = spawn("P");
	t = thread(p, "T");
	g = gate();
	t_exits = counter(t, "");
	t_last = counter(t, " && group_dead==1");
	l_last = counter(leader(p), " && group_dead==1");
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
	if (!t_last.nr) {
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
