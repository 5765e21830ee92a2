// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "await.h"
#include "proc.h"
#include "util.h"

int await_limit_ms = 10000;

/* Looks that only yield before those that sleep between. */
#define EAGER 64

bool await_true(bool (*seen)(void *arg), void *arg, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	int64_t end = now_ms() + timeout_ms;

	for (int i = 0; !seen(arg); i++) {
		if (now_ms() >= end)
			return seen(arg);
		if (i < EAGER)
			sched_yield();
		else
			nanosleep(&pause, NULL);
	}
	return true;
}

struct look {
	pid_t pid, tid;
	char want, last;
};

static bool state_seen(void *arg)
{
	struct look *l = arg;
	struct proc_status st;

	l->last = proc_status(l->pid, l->tid, &st) ? 0 : st.state;
	return l->last == l->want || !l->last;
}

char await_state(pid_t pid, pid_t tid, char state, int timeout_ms)
{
	struct look l = { pid, tid, state, 0 };

	await_true(state_seen, &l, timeout_ms);
	return l.last;
}

static bool gone(void *arg)
{
	struct look *l = arg;

	return !proc_exists(l->pid, l->tid);
}

bool await_gone(pid_t pid, pid_t tid, int timeout_ms)
{
	struct look l = { pid, tid, 0, 0 };

	return await_true(gone, &l, timeout_ms);
}

bool await_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = now_ms() + timeout_ms;
	int n;

	do {
		int64_t left = end - now_ms();

		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	/* poll() looks again when its time is over: that is no wake-up. */
	return n > 0 && (!timeout_ms || now_ms() < end);
}
