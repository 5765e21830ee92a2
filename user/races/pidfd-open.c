// SPDX-License-Identifier: GPL-2.0
/*
 * pidfd_open() of a zombie while it is reaped: either there is a pidfd, which
 * says that the process has ended and never speaks of another one, or there is
 * none. In between, while __unhash_process() has taken it from its thread group
 * and not yet from its number, some kernels say EINVAL and some ESRCH.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../race.h"

enum { OPENER, REAPER };
enum { OPENED, GONE };

struct look {
	pid_t child;
	int fd, status;
};

static void open_it(struct round *r, int side)
{
	struct look *l = race_data(r);

	(void)side;
	l->fd = pidfd_of(l->child, 0);
	race_took(r, l->fd < 0 ? GONE : OPENED);
}

static void reap_it(struct round *r, int side)
{
	struct look *l = race_data(r);

	(void)side;
	l->status = race_reap(l->child);
}

static void prepare(struct round *r)
{
	struct look *l = race_data(r);
	pid_t child = race_fork(r, NO_SIDE);
	siginfo_t si;

	if (!child)
		_exit(7);
	l->child = child;
	if (waitid(P_PID, (id_t)child, &si, WEXITED | WNOWAIT))
		race_broken(r, "waitid: %m");
	race_told();
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);

	race_check(r, l->status == 7 << 8,
		   "wait_task_zombie(): a zombie is reaped; got %d", l->status);
	if (l->fd < 0) {
		race_check(r, l->fd == -ESRCH || l->fd == -EINVAL,
			   "pidfd_open(): ESRCH or EINVAL of one that is gone; got %d",
			   l->fd);
		return;
	}
	race_check(r, await_readable(l->fd, 0),
		   "pidfd_poll(): a process that was reaped has ended");
	race_check(r,
		   syscall(SYS_pidfd_send_signal, l->fd, 0, NULL, 0) < 0 &&
			   errno == ESRCH,
		   "pidfd_send_signal(): ESRCH of one that was reaped");
	close(l->fd);
}

RACE(pidfd_open) = {
	.name = "pidfd-open",
	.summary = "pidfd_open() of a zombie while it is reaped",
	.outcomes = { "opened", "gone" },
	.sides = { { "opener", open_it }, { "reaper", reap_it } },
	.forced = { [OPENED] = GOES_FIRST(OPENER), [GONE] = GOES_FIRST(REAPER) },
	.prepare = prepare,
	.finish = finish,
};
