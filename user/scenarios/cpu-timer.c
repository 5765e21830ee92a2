// SPDX-License-Identifier: GPL-2.0
/*
 * A timer of the CPU time of a process is the process's: that a thread of it ends
 * does not stop it.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "../scenario.h"

#define MS    20
#define LIMIT 1000 /* ms of CPU time in which it has to come */

/* SIGALRM after MS more of CPU time of this process. */
static int64_t order_timer(const struct order *o)
{
	struct sigevent alarm = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM,
	};
	struct itimerspec when = { .it_value.tv_nsec = MS * 1000000L };
	timer_t timer;

	(void)o;
	if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &alarm, &timer) < 0 ||
	    timer_settime(timer, 0, &when, NULL) < 0)
		return -errno;
	return 0;
}

static long cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

/* Use the CPU until it has come; how often it did. */
static int64_t order_burn(const struct order *o)
{
	const struct order count = { .arg = { SIGALRM } };
	long end = cpu_ms() + LIMIT;

	(void)o;
	while (!order_caught(&count) && cpu_ms() < end)
		;
	return order_caught(&count);
}

static void play(void)
{
	struct actor *p;
	struct thread *t;

	step("a timer of the CPU time of P; then T, a thread of P, ends");
	p = spawn("P");
	t = thread(p, "T");
	ask(leader(p), order_sigaction, SIGALRM, DISPOSE_CATCH);
	expect_equal(ask(leader(p), order_timer, 0, 0), 0, "timer_settime()",
		     "posix_cpu_timer_set()");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");

	step("the leader uses CPU time");
	expect_equal(ask(leader(p), order_burn, 0, 0), 1,
		     "times P caught SIGALRM",
		     "__exit_signal(): posix_cpu_timers_exit_group() is for the last one");
}

SCENARIO(cpu_timer) = {
	.name = "cpu-timer",
	.summary =
		"a thread ends: a timer of its process's CPU time still comes",
	.play = play,
};
