// SPDX-License-Identifier: GPL-2.0
/*
 * Who listens to a seccomp filter sees a hang-up when nobody is under it any
 * more: do zombies count?
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../scenario.h"

/* Of everything it says yes. Returns the descriptor of the listener. */
static int64_t order_filter(const struct order *o)
{
	struct sock_filter yes = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &yes };
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);

	(void)o;
	return fd < 0 ? -errno : fd;
}

static int64_t order_close(const struct order *o)
{
	return close((int)o->arg[0]) < 0 ? -errno : 0;
}

/* Ours; @t has none. */
static int listener(struct thread *t)
{
	int64_t fd = ask(t, order_filter, 0, 0);
	int ours;

	if (fd < 0)
		skip("seccomp(SECCOMP_SET_MODE_FILTER): %s",
		     strerror((int)-fd));
	ours = (int)syscall(SYS_pidfd_getfd, t->actor->pidfd, (int)fd, 0);
	if (ours < 0)
		broken("pidfd_getfd(): %m");
	ask(t, order_close, fd, 0);
	return ours;
}

static void play(void)
{
	/* "seccomp: release task filters when the task exits" */
	bool early = !kernel_before(6, 11);
	struct actor *p;
	struct thread *t;
	int g, fd;

	step("T, a thread of P, is under a filter, ends, and is held in exit_mm()");
	p = spawn("P");
	t = thread(p, "T");
	fd = listener(t);
	g = gate();
	expect_no_wakeup(fd, "the listener", "seccomp_notify_poll(): users");
	hold_in_exit(t, g, IN_MM_RELEASE, 5);
	if (early)
		expect_wakeup(fd, "the listener",
			      "do_exit(): seccomp_filter_release()");
	else
		expect_no_wakeup(fd, "the listener",
				 "release_task(T) has not run");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(t, "release_task(T)");
	expect_wakeup(fd, "the listener", "seccomp_filter_release()");
	close(fd);

	step("the leader of P as well: P is a zombie");
	fd = listener(leader(p));
	exit_group(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	if (early)
		expect_wakeup(fd, "the listener",
			      "do_exit(): seccomp_filter_release()");
	else
		expect_no_wakeup(fd, "the listener",
				 "release_task(P) has not run");

	step("P is reaped");
	expect_death(p, 3 << 8, "do_group_exit()");
	expect_wakeup(fd, "the listener", "seccomp_filter_release()");
	close(fd);
}

static const char *const watches[] = {
	"\"seccomp: release task filters when the task exits\", 6.11", NULL
};

SCENARIO(exit_seccomp) = {
	.name = "exit-seccomp",
	.summary =
		"a listener to a seccomp filter hears that nobody is left, of zombies since 6.11",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.play = play,
};
