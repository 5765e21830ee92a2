// SPDX-License-Identifier: GPL-2.0
/*
 * What a process had armed: it is no more when its last thread ends, although a
 * zombie may stay for ever.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../core/count.h"
#include "../core/proc.h"
#include "../core/util.h"
#include "../scenario.h"

#define SOMEBODY 60125
#define TIMERS   8

/* --- timer_create() ----------------------------------------------------- */

/* arg[0] of them, for an hour. */
static int64_t order_timers(const struct order *o)
{
	struct itimerspec hour = { .it_value.tv_sec = 3600 };

	for (int64_t i = 0; i < o->arg[0]; i++) {
		timer_t timer;

		if (timer_create(CLOCK_MONOTONIC, NULL, &timer) < 0 ||
		    timer_settime(timer, 0, &hour, NULL) < 0)
			return -errno;
	}
	return 0;
}

/* A timer has its signal from the beginning, which counts for its user. */
static int signals_of_user(struct actor *p)
{
	struct proc_status st;

	return proc_status(p->pid, 0, &st) ? -1 : st.sigq;
}

static void posix_timers(void)
{
	struct actor *r, *c;
	struct thread *t;
	int base;

	step("C, a child of R, has %d timers; its leader ends", TIMERS);
	r = spawn("R");
	c = spawn_by(r, "C");
	if (ask(leader(r), order_setuid, SOMEBODY, 0) ||
	    ask(leader(c), order_setuid, SOMEBODY, 0))
		broken("they cannot become user %d", SOMEBODY);
	t = thread(c, "T");
	base = signals_of_user(r);
	expect_equal(ask(leader(c), order_timers, TIMERS, 0), 0,
		     "timer_create() and timer_settime() in C",
		     "do_timer_create()");
	expect_equal(signals_of_user(r), base + TIMERS, "SigQ of the user",
		     "do_timer_create(): its signal is allocated");
	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(signals_of_user(r), base + TIMERS, "SigQ of the user",
		     "do_exit(): group_dead is false");

	step("T ends, the last of C");
	exit_thread(t, 5);
	expect_wakeup(c->pidfd, "pidfd of C", "release_task(T): zap_leader");
	expect_equal(signals_of_user(r), base, "SigQ of the user",
		     "do_exit(): group_dead, exit_itimers()");
}

SCENARIO(exit_timers) = {
	.name = "exit-timers",
	.summary =
		"the timers of timer_create() end with the last thread, not when it is reaped",
	.rows = "DE3",
	.needs = NEED_ROOT,
	.play = posix_timers,
};

/* --- setitimer() -------------------------------------------------------- */

/* SIGALRM once, after arg[0] ms. */
static int64_t order_alarm(const struct order *o)
{
	struct itimerval once = {
		.it_value = { .tv_sec = o->arg[0] / 1000,
			      .tv_usec = o->arg[0] % 1000 * 1000 },
	};

	return setitimer(ITIMER_REAL, &once, NULL) < 0 ? -errno : 0;
}

static void count_alarms(struct counter *c, struct actor *p)
{
	char filter[64];
	int err;

	snprintf(filter, sizeof(filter), "pid==%d && sig==%d", p->pid, SIGALRM);
	err = count_open(c, "signal/signal_generate", filter);
	if (err)
		skip("no signal_generate (is tracefs on /sys/kernel/tracing?): %s",
		     strerror(-err));
}

/* A process that has died with its timer armed; longer where machines are slow. */
static struct actor *dead_before_alarm(struct counter *alarms, int *ms)
{
	for (*ms = 100; *ms <= 25600; *ms *= 2) {
		struct actor *p = spawn("P");
		int64_t start;

		count_alarms(alarms, p);
		start = now_ms();
		ask(leader(p), order_alarm, *ms, 0);
		exit_group(leader(p), 7);
		expect_wakeup(p->pidfd, "pidfd of P", "exit_notify()");
		if (now_ms() - start < *ms)
			return p;
		reap(p);
	}
	broken("P takes longer than any timer to end");
}

static void real_timer(void)
{
	struct counter of_p, of_q;
	struct actor *p, *q;
	int ms;

	step("P sets a timer, and is a zombie before it is due");
	q = spawn("Q");
	count_alarms(&of_q, q);
	ask(leader(q), order_sigaction, SIGALRM, DISPOSE_CATCH);
	p = dead_before_alarm(&of_p, &ms);

	step("Q sets one as long, after that, and gets its signal");
	ask(leader(q), order_alarm, ms, 0);
	expect_caught(leader(q), SIGALRM, 1, "it_real_fn()");
	expect_equal(count(&of_q), 1, "SIGALRM sent to Q", "it_real_fn()");
	expect_equal(count(&of_p), 0, "SIGALRM sent to P",
		     "do_exit(): group_dead, hrtimer_cancel(real_timer)");
	expect_death(p, 7 << 8, "do_group_exit()");
}

SCENARIO(exit_alarm) = {
	.name = "exit-alarm",
	.summary = "a zombie's timer of setitimer() does not fire any more",
	.rows = "DE3",
	.needs = NEED_ROOT,
	.play = real_timer,
};
