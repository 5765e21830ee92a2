// SPDX-License-Identifier: GPL-2.0
/* What the sides of a race call, in threads of the runner and its children. */
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "core/actor.h"
#include "core/await.h"
#include "core/proc.h"
#include "race-engine.h"

/* Looks before it sleeps. To yield would cost a slice on a CPU that is shared. */
#define SPINS 2000

static void futex(atomic_uint *word, int op, unsigned int value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void await_generation(struct meeting *m, unsigned int old)
{
	for (int i = 0; i < SPINS; i++) {
		if (atomic_load(&m->generation) != old)
			return;
		atomic_signal_fence(memory_order_seq_cst);
	}
	while (atomic_load(&m->generation) == old) {
		atomic_fetch_add(&m->sleepers, 1);
		futex(&m->generation, FUTEX_WAIT, old);
		atomic_fetch_sub(&m->sleepers, 1);
	}
}

/*
 * @last: runs in the last to arrive, while all others wait. Return: whether we
 * were the last.
 */
bool race_meet(struct meeting *m, unsigned int parties,
	       void (*last)(struct round *), struct round *r)
{
	unsigned int old = atomic_load(&m->generation);

	if (atomic_fetch_add(&m->arrived, 1) + 1 < parties) {
		await_generation(m, old);
		return false;
	}
	atomic_store(&m->arrived, 0);
	if (last)
		last(r);
	atomic_fetch_add(&m->generation, 1);
	if (atomic_load(&m->sleepers))
		futex(&m->generation, FUTEX_WAKE, INT_MAX);
	return true;
}

/* A loop and no clock: some clocks take a system call, and 10 us of a guest. */
void race_spin(struct race_shared *s, int64_t ns)
{
	int64_t turns = (int64_t)((double)ns * s->per_us / 1000);

	for (volatile int64_t i = 0; i < turns; i++)
		;
}

/*
 * Two processes on one CPU, which is what other load makes of them, take turns:
 * so where an outcome is rare each gets its own, asked for or not.
 */
void race_pin(struct race_shared *s, int party)
{
	cpu_set_t set;

	if (!s->nr_cpus ||
	    !(s->pin ||
	      search_is_short(&s->search, search_unproved(&s->search))))
		return;
	CPU_ZERO(&set);
	CPU_SET(s->cpus[party % s->nr_cpus], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int race_count(const struct race *race, int side)
{
	return race->sides[side].count ? race->sides[side].count : 1;
}

int race_sides(const struct race *race)
{
	int n = 0;

	while (n < RACE_SIDES && race->sides[n].name)
		n++;
	return n;
}

int race_outcomes(const struct race *race)
{
	int n = 0;

	while (n < RACE_OUTCOMES && race->outcomes[n])
		n++;
	return n;
}

void *race_data(struct round *r)
{
	return r->shared->data;
}

static bool thread_returned(void *arg)
{
	struct round *r = arg;
	int first = r->shared->first;

	return atomic_load(&r->shared->side[first].ended) ==
	       race_count(r->race, first);
}

static bool process_ended(void *arg)
{
	struct round *r = arg;
	pid_t pid = atomic_load(&r->shared->side[r->shared->first].pid);
	struct proc_status st;

	return pid && (proc_status(pid, 0, &st) || st.state == 'Z');
}

static bool all_started(void *arg)
{
	struct round *r = arg;
	int first = r->shared->first;

	return atomic_load(&r->shared->side[first].started) ==
	       race_count(r->race, first);
}

/* The guardian says so when it never comes. */
void race_settled(struct round *r, int side)
{
	bool (*seen)(void *) = r->race->sides[side].run ? thread_returned :
							  process_ended;

	while (!await_true(seen, r, AWAIT_MS))
		;
}

static bool is_set(void *word)
{
	return __atomic_load_n((const int *)word, __ATOMIC_ACQUIRE);
}

void race_until(struct round *r, const int *word)
{
	(void)r;
	while (!await_true(is_set, (void *)word, AWAIT_MS))
		;
}

static void await_first(struct round *r)
{
	int first = r->shared->first;

	while (!await_true(all_started, r, AWAIT_MS))
		;
	if (r->race->settled)
		r->race->settled(r, first);
	else
		race_settled(r, first);
}

void race_start(struct round *r, int side)
{
	struct race_shared *s = r->shared;
	struct race_side_state *state = &s->side[side];

	if (!r->race->sides[side].run)
		race_pin(s, side);
	race_meet(&s->go, s->parties, NULL, NULL);
	if (s->first >= 0 && side != s->first)
		await_first(r);
	else if (s->first < 0 && (side == 0) == (s->delay > 0))
		race_spin(s, s->delay > 0 ? s->delay : -s->delay);
	atomic_fetch_add(&state->started, 1);
}

void race_took(struct round *r, int outcome)
{
	atomic_fetch_or(&r->shared->met, 1U << outcome);
}

/* The first to say something is heard. */
static void say(struct race_shared *s, enum race_end end, const char *fmt,
		va_list args)
{
	if (atomic_flag_test_and_set(&s->told))
		return;
	vsnprintf(s->reason, sizeof(s->reason), fmt, args);
	s->end = end;
	atomic_store(&s->over, true);
}

void race_say(struct race_shared *s, enum race_end end, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(s, end, fmt, args);
	va_end(args);
}

bool race_check(struct round *r, bool ok, const char *fmt, ...)
{
	va_list args;

	if (ok)
		return true;
	va_start(args, fmt);
	say(r->shared, RACE_FAIL, fmt, args);
	va_end(args);
	return false;
}

void race_broken(struct round *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(r->shared, RACE_BROKEN, fmt, args);
	va_end(args);
	_exit(1);
}

void race_skip(struct round *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(r->shared, RACE_SKIP, fmt, args);
	va_end(args);
	_exit(1);
}

static pid_t forked(struct round *r, int side, pid_t pid)
{
	if (pid < 0)
		race_broken(r, "cannot fork: %s", strerror(errno));
	if (side >= 0)
		atomic_store(&r->shared->side[side].pid, pid ? pid : getpid());
	return pid;
}

pid_t race_fork(struct round *r, int side)
{
	return forked(r, side, fork());
}

pid_t race_clone(struct round *r, int side, int exit_signal)
{
	struct clone_args args = { .exit_signal = (unsigned int)exit_signal };

	return forked(r, side, (pid_t)syscall(SYS_clone3, &args, sizeof(args)));
}

pid_t race_pid(struct round *r, int side)
{
	return atomic_load(&r->shared->side[side].pid);
}

int race_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

pid_t race_told_info(siginfo_t *si)
{
	const struct timespec now = { 0 };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return sigtimedwait(&chld, si, &now) == SIGCHLD ? si->si_pid : 0;
}

pid_t race_told(void)
{
	siginfo_t si;

	return race_told_info(&si);
}

void race_work(void)
{
	for (int i = 0; i < 20; i++)
		syscall(SYS_getppid);
}

#ifdef UNDEAD_RACE_BREAK
bool race_planted(const char *what)
{
	const char *planted = getenv("UNDEAD_BREAK");

	return planted && !strcmp(planted, what);
}
#endif
