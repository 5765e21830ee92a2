// SPDX-License-Identifier: GPL-2.0
/*
 * What else SIGCHLD tells: the CPU time of who has ended, in ticks, and nothing
 * in the gaps of siginfo.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../scenario.h"

#define BURN_US  100000
#define A_MINUTE (60 * 100) /* ticks: USER_HZ */

/* Of R: the last SIGCHLD as the kernel wrote it. */
static union {
	siginfo_t si;
	unsigned char byte[sizeof(siginfo_t)];
} last;

static int64_t used(bool system)
{
	struct rusage u;
	const struct timeval *t = system ? &u.ru_stime : &u.ru_utime;

	getrusage(RUSAGE_SELF, &u);
	return t->tv_sec * 1000000L + t->tv_usec;
}

static void burn(void)
{
	volatile int n = 0;

	while (used(false) < BURN_US)
		for (n = 0; n < 100000;)
			n++;
	while (used(true) < BURN_US)
		for (int i = 0; i < 1000; i++)
			syscall(SYS_getppid);
	_exit(7);
}

static int64_t order_child(const struct order *o)
{
	sigset_t set;
	pid_t child;

	(void)o;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	child = fork();
	if (!child)
		burn();
	memset(&last, 0xff, sizeof(last));
	if (child < 0 || syscall(SYS_rt_sigtimedwait, &set, &last, NULL,
				 NSIG / 8) != SIGCHLD)
		return -errno;
	return waitpid(child, NULL, 0) == child ? last.si.si_status : -errno;
}

/* arg[0]: of the system calls */
static int64_t order_ticks(const struct order *o)
{
	return o->arg[0] ? last.si.si_stime : last.si.si_utime;
}

/* What is neither field of it nor zero. */
static int64_t order_gaps(const struct order *o)
{
	size_t gap[] = { offsetof(siginfo_t, si_code) + sizeof(int),
			 offsetof(siginfo_t, si_status) + sizeof(int) };
	size_t next[] = { offsetof(siginfo_t, si_pid),
			  offsetof(siginfo_t, si_utime) };
	int64_t bytes = 0;

	(void)o;
	for (int i = 0; i < 2; i++)
		for (size_t at = gap[i]; at < next[i]; at++)
			bytes += last.byte[at] != 0;
	return bytes;
}

static void expect_ticks(struct actor *r, bool system, const char *why)
{
	int64_t ticks = ask(leader(r), order_ticks, system, 0);

	expect(ticks >= 1 && ticks < A_MINUTE, why, "%s: %lld ticks",
	       system ? "si_stime" : "si_utime", (long long)ticks);
}

static void play(void)
{
	struct actor *r = spawn("R");

	step("a child of R computes, calls the kernel, and ends");
	expect_equal(ask(leader(r), order_child, 0, 0), 7, "si_status",
		     "do_notify_parent()");
	expect_ticks(r, false, "do_notify_parent(): task_cputime()");
	expect_ticks(r, true, "do_notify_parent(): task_cputime()");
	expect_equal(ask(leader(r), order_gaps, 0, 0), 0,
		     "bytes between the fields that are not 0",
		     "do_notify_parent(): clear_siginfo()");
}

SCENARIO(sigchld_info) = {
	.name = "sigchld-info",
	.summary =
		"SIGCHLD tells the CPU time of who has ended, and nothing between its fields",
	.play = play,
};
