// SPDX-License-Identifier: GPL-2.0
/*
 * poll() of a pidfd while the process exits: the waiter finds it ended, or goes
 * to sleep and is woken; never neither. do_notify_pidfd() wakes whoever is on
 * the queue, and pidfd_poll() looks again when it is on it.
 */
#include <poll.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../race.h"

enum { POLLER, PROCESS };
enum { ENDED_ALREADY, ENDED_LATER };

struct look {
	int fd;
	bool told;
	pid_t seen;
	int gone, asleep, woken; /* for the planted bug */
};

static bool poll_it(struct look *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return poll(&p, 1, -1) == 1 && p.revents & POLLIN;
}

/* The bug of a kernel that looks before it is on the queue, and not after. */
static void sleep_badly(struct round *r, struct look *l)
{
	if (__atomic_load_n(&l->gone, __ATOMIC_SEQ_CST))
		return;
	race_work();
	__atomic_store_n(&l->asleep, 1, __ATOMIC_SEQ_CST);
	race_until(r, &l->woken);
}

static void wake_badly(struct look *l)
{
	__atomic_store_n(&l->gone, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&l->asleep, __ATOMIC_SEQ_CST))
		__atomic_store_n(&l->woken, 1, __ATOMIC_SEQ_CST);
}

static void poller(struct round *r, int side)
{
	struct look *l = race_data(r);
	siginfo_t si = { 0 };

	(void)side;
	race_took(r, await_readable(l->fd, 0) ? ENDED_ALREADY : ENDED_LATER);
	if (race_planted("lost-wake-up"))
		sleep_badly(r, l);
	l->told = poll_it(l);
	waitid(P_PID, (id_t)race_pid(r, PROCESS), &si,
	       WEXITED | WNOHANG | WNOWAIT);
	l->seen = si.si_pid;
}

static void prepare(struct round *r)
{
	struct look *l = race_data(r);
	pid_t child = race_fork(r, PROCESS);

	if (!child) {
		race_start(r, PROCESS);
		if (race_planted("lost-wake-up"))
			wake_badly(l);
		_exit(7);
	}
	l->fd = pidfd_of(child, 0);
	if (l->fd < 0)
		race_broken(r, "pidfd_open: error %d", -l->fd);
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	pid_t child = race_pid(r, PROCESS);
	int status;

	close(l->fd);
	race_check(r, l->told && l->seen == child,
		   "pidfd_poll(): readable means that it can be reaped; told %d, waitid() has %d, expected %d",
		   l->told, l->seen, child);
	status = race_reap(child);
	race_check(r, status == 7 << 8,
		   "wait_task_zombie(): got %d, expected %d", status, 7 << 8);
	race_told();
}

RACE(pidfd_poll) = {
	.name = "pidfd-poll",
	.summary = "poll() of a pidfd while the process exits",
	.outcomes = { "ended-already", "ended-later" },
	.sides = { { "poller", poller }, { "process", NULL } },
	.forced = { [ENDED_ALREADY] = GOES_FIRST(PROCESS) },
	.prepare = prepare,
	.finish = finish,
};
