// SPDX-License-Identifier: GPL-2.0
/*
 * A perf event of a thread hangs up when the thread ends: before or after its
 * memory goes.
 */
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scenario.h"

/* Without a ring a hang-up is said at once: perf_poll(). */
static int event_of(struct thread *t)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, t->tid, -1, -1,
			      PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		skip("perf_event_open(): %m");
	if (mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED)
		skip("the ring of perf_event_open(): %m");
	return fd;
}

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	barrier();
	poll(&p, 1, 0);
	return p.revents & POLLHUP;
}

static void expect_hang_up(int fd, bool wanted, const char *why)
{
	bool seen = hung_up(fd);

	expect(seen == wanted, why, "the event: %s",
	       seen ? "POLLHUP" : "no POLLHUP");
}

static void play(void)
{
	struct actor *p;
	struct thread *t;
	int g, fd;

	step("T, a thread of P, is counted, ends, and is held in exit_mm()");
	p = spawn("P");
	t = thread(p, "T");
	fd = event_of(t);
	g = gate();
	expect_hang_up(fd, false, "perf_poll()");
	hold_in_exit(t, g, IN_MM_RELEASE, 5);
	/* Stable kernels have it, too, from some number on. */
	note("there: %s", hung_up(fd) ? "POLLHUP, as since 4f6fc7821283" :
					"nothing yet, as before 4f6fc7821283");

	step("it goes on");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(t, "release_task(T)");
	expect_hang_up(fd, true, "do_exit(): perf_event_exit_task()");

	step("the same of the leader, and P is a zombie");
	fd = event_of(leader(p));
	exit_group(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_hang_up(fd, true, "do_exit(): perf_event_exit_task()");
	expect_death(p, 3 << 8, "do_group_exit()");
}

static const char *const watches[] = {
	"4f6fc7821283 \"perf: Fix sample vs do_exit()\", 6.16", NULL
};

SCENARIO(exit_perf) = {
	.name = "exit-perf",
	.summary =
		"a perf event of a thread hangs up when the thread ends, zombie or not",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.play = play,
};
