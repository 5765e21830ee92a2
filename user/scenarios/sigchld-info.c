// SPDX-License-Identifier: GPL-2.0
/*
 * What else SIGCHLD tells: the CPU time of who has stopped or ended, in ticks, and
 * nothing in the gaps of siginfo.
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

/* Of R: SIGCHLD as the kernel wrote it. */
static union {
	siginfo_t si;
	unsigned char byte[sizeof(siginfo_t)];
} stop, death;

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
	raise(SIGSTOP);
}

/* Blocked. */
static sigset_t sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return set;
}

static int next_sigchld(void *to)
{
	sigset_t set = sigchld();

	memset(to, 0xff, sizeof(siginfo_t));
	return (int)syscall(SYS_rt_sigtimedwait, &set, to, NULL, NSIG / 8);
}

/* It computes, calls the kernel, stops, and is killed. */
static int64_t order_child(const struct order *o)
{
	pid_t child;

	(void)o;
	sigchld();
	child = fork();
	if (!child)
		burn();
	if (child < 0 || next_sigchld(&stop) < 0 || kill(child, SIGKILL) < 0 ||
	    next_sigchld(&death) < 0 || waitpid(child, NULL, 0) < 0)
		return -errno;
	return stop.si.si_status << 8 | death.si.si_status;
}

/* arg[0]: of its death; arg[1]: of the system calls */
static int64_t order_ticks(const struct order *o)
{
	const siginfo_t *si = o->arg[0] ? &death.si : &stop.si;

	return o->arg[1] ? si->si_stime : si->si_utime;
}

/* What is neither field of it nor zero. */
static int64_t order_gaps(const struct order *o)
{
	const unsigned char *byte = o->arg[0] ? death.byte : stop.byte;
	size_t gap[] = { offsetof(siginfo_t, si_code) + sizeof(int),
			 offsetof(siginfo_t, si_status) + sizeof(int) };
	size_t next[] = { offsetof(siginfo_t, si_pid),
			  offsetof(siginfo_t, si_utime) };
	int64_t bytes = 0;

	for (int i = 0; i < 2; i++)
		for (size_t at = gap[i]; at < next[i]; at++)
			bytes += byte[at] != 0;
	return bytes;
}

static void expect_info(struct actor *r, bool dead, const char *by)
{
	for (int system = 0; system < 2; system++) {
		int64_t ticks = ask(leader(r), order_ticks, dead, system);

		expect(ticks >= 1 && ticks < A_MINUTE, by, "%s: %lld ticks",
		       system ? "si_stime" : "si_utime", (long long)ticks);
	}
	expect_equal(ask(leader(r), order_gaps, dead, 0), 0,
		     "bytes between the fields that are not 0", by);
}

static void play(void)
{
	struct actor *r = spawn("R");

	step("a child of R computes, calls the kernel, stops, and is killed");
	expect_equal(ask(leader(r), order_child, 0, 0), SIGSTOP << 8 | SIGKILL,
		     "si_status of both", "do_notify_parent_cldstop()");

	step("what was told of the stop");
	expect_info(r, false, "do_notify_parent_cldstop(): task_cputime()");

	step("what was told of the death");
	expect_info(r, true, "do_notify_parent(): task_cputime()");
}

SCENARIO(sigchld_info) = {
	.name = "sigchld-info",
	.summary =
		"SIGCHLD tells the CPU time of who stops or ends, and nothing between its fields",
	.play = play,
};
