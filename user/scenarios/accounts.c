// SPDX-License-Identifier: GPL-2.0
/*
 * What a thread has used is its group's when it has gone. Looked at afterwards
 * only: the times of a process are not let go back once they were told.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define MS    40L
#define PAGES 2000L
#define WAITS 60
#define BYTES (4L << 20)

static int64_t cpu_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* Clocks of the calling thread: what the tick has found it at. */
#define RAW_USER ((clockid_t)((~0U << 3) | 5))
#define RAW_BOTH ((clockid_t)((~0U << 3) | 4))

static int64_t raw_us(bool system)
{
	int64_t user = cpu_us(RAW_USER);

	return system ? cpu_us(RAW_BOTH) - user : user;
}

/*
 * MS of CPU time, which the tick has found to be user or system time half of
 * the time at least; on one CPU with whoever does the same.
 */
static int64_t order_burn(const struct order *o)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return -errno;
	while (cpu_us(CLOCK_THREAD_CPUTIME_ID) < MS * 1000 ||
	       raw_us(o->arg[0]) < MS * 500)
		for (volatile int i = 0; i < 20000; i++)
			if (o->arg[0] && i % 20 == 0)
				access("/proc/self/none", F_OK);
	return 0;
}

/* Page faults, waits, and bytes written. */
static int64_t order_use(const struct order *o)
{
	size_t size = (size_t)(PAGES * sysconf(_SC_PAGESIZE));
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)o;
	if (null < 0 || p == MAP_FAILED)
		return -errno;
	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 1, size);
	for (int i = 0; i < WAITS; i++)
		poll(NULL, 0, 1);
	return write(null, p, BYTES) == BYTES ? 0 : -EIO;
}

enum used {
	USER_US,
	SYSTEM_US,
	CPU_US,
	FAULTS,
	VOLUNTARY,
	INVOLUNTARY,
};

/* enum used arg[0]; arg[1]: RUSAGE_SELF or RUSAGE_THREAD */
static int64_t order_used(const struct order *o)
{
	struct rusage u;

	if (getrusage((int)o->arg[1], &u) < 0)
		return -errno;
	switch (o->arg[0]) {
	case USER_US:
		return u.ru_utime.tv_sec * 1000000LL + u.ru_utime.tv_usec;
	case SYSTEM_US:
		return u.ru_stime.tv_sec * 1000000LL + u.ru_stime.tv_usec;
	case CPU_US:
		return cpu_us(CLOCK_PROCESS_CPUTIME_ID);
	case FAULTS:
		return u.ru_minflt;
	case VOLUNTARY:
		return u.ru_nvcsw;
	default:
		return u.ru_nivcsw;
	}
}

/* The blocked SIGCHLD that is pending: its si_utime, or its si_stime. */
static int64_t order_told(const struct order *o)
{
	const struct timespec now = { 0 };
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigtimedwait(&set, &si, &now) < 0)
		return -errno;
	return o->arg[0] ? si.si_stime : si.si_utime;
}

static int64_t written(struct actor *p)
{
	char text[512];
	const char *at;
	long long n = -1;

	if (proc_read(p->pid, 0, "io", text, sizeof(text)) > 0) {
		at = strstr(text, "wchar:");
		if (at)
			sscanf(at, "wchar: %lld", &n);
	}
	return n;
}

static void expect_least(int64_t seen, int64_t least, const char *what)
{
	expect(seen >= least,
	       "__exit_signal(): what the thread has used is added to the group's",
	       "%s of P: %lld (at least %lld expected)", what, (long long)seen,
	       (long long)least);
}

static int64_t used(struct actor *p, enum used what)
{
	return ask(leader(p), order_used, what, RUSAGE_SELF);
}

/* @c ends: so much of it is told by SIGCHLD, in ticks of 10 ms. */
static void expect_told(struct actor *r, struct actor *c, bool system)
{
	int64_t ticks;

	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	barrier();
	ticks = ask(leader(r), order_told, system, 0);
	expect(ticks >= MS / 20,
	       "do_notify_parent(): its own and that of its dead threads",
	       "SIGCHLD of %s: %s %lld (at least %ld expected)", c->name,
	       system ? "si_stime" : "si_utime", (long long)ticks, MS / 20);
}

/* @r reaps @c, and is charged. */
static void expect_charged(struct actor *r, struct actor *c, bool system)
{
	int64_t us;

	ask(leader(r), order_wait, c->pid, WEXITED);
	us = ask(leader(r), order_used, system ? SYSTEM_US : USER_US,
		 RUSAGE_CHILDREN);
	expect(us >= MS * 1000 / 4,
	       "wait_task_zombie(): cutime and cstime of who has waited",
	       "RUSAGE_CHILDREN of R, %s time: %lld us (at least %ld expected)",
	       system ? "system" : "user", (long long)us, MS * 1000 / 4);
}

/* P, whose thread T uses time, of one kind, beside Q, and ends. */
static void burns(bool system)
{
	struct actor *r = spawn("R"), *q = spawn_by(r, "Q"),
		     *p = spawn_by(r, "P");
	struct thread *t = thread(p, "T");
	int64_t preempted, result;

	ask(leader(r), order_sigmask, SIG_BLOCK, SIGCHLD);
	step("T, a thread of P, uses %ld ms of %s time beside Q, and ends", MS,
	     system ? "system" : "user");
	tell(leader(q), order_burn, system, 0);
	if (ask(t, order_burn, system, 0))
		broken("T cannot choose its CPU");
	preempted = ask(t, order_used, INVOLUNTARY, RUSAGE_THREAD);
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_least(used(p, CPU_US), MS * 1000, "CPU time, us,");
	expect_least(used(p, system ? SYSTEM_US : USER_US), MS * 1000 / 4,
		     system ? "system time, us," : "user time, us,");
	expect_least(used(p, INVOLUNTARY), preempted, "involuntary switches");
	expect_told(r, p, system);
	expect_charged(r, p, system);
	if (thread_result(leader(q), AWAIT_MS, &result))
		broken("Q does not come to an end");
	expect_told(r, q, system);
}

static void play(void)
{
	struct actor *p;
	struct thread *t;

	burns(false);
	burns(true);

	step("T, a thread of P, takes memory, waits, and writes, and ends");
	p = spawn("P");
	t = thread(p, "T");
	if (ask(t, order_use, 0, 0))
		broken("T cannot use memory and write");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_least(used(p, FAULTS), PAGES, "page faults");
	expect_least(used(p, VOLUNTARY), WAITS, "voluntary switches");
	if (written(p) >= 0)
		expect_least(written(p), BYTES, "bytes written");
}

SCENARIO(release_accounts) = {
	.name = "release-accounts",
	.summary = "what a thread has used stays with its process when it ends",
	.rows = "A31",
	.needs = NEED_ROOT,
	.play = play,
};
