/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the author of a race reads.
 *
 * A race is one file in races/: what its sides do, and one RACE() at its end.
 * Nothing else needs an edit.
 *
 *	enum { FIRST, SECOND, CHILD };
 *
 *	static void wait_for_it(struct round *r, int side)
 *	{
 *		if (race_reap(race_pid(r, CHILD)) >= 0)
 *			race_took(r, side);
 *	}
 *
 *	static void prepare(struct round *r)
 *	{
 *		if (race_fork(r, CHILD))
 *			return;
 *		race_start(r, CHILD);
 *		_exit(0);
 *	}
 *
 *	RACE(two_waiters) = {
 *		.name = "two-waiters",
 *		.summary = "two threads wait for one child: one of them reaps it",
 *		.outcomes = { "first", "second" },
 *		.sides = { { "first", wait_for_it },
 *			   { "second", wait_for_it },
 *			   { "child" } },
 *		.prepare = prepare,
 *	};
 *
 * A round: prepare() sets the scene (what a process needs it awaits itself, before
 * its race_start()), all sides meet at a barrier and go at once
 * but for the delay of one side against the others, and finish() looks whether
 * what the kernel promises was kept. Which branch was taken is said by race_took()
 * of what the side that took it has recorded; it is never inferred from time.
 *
 * A side is a thread of the runner (.run), or a process or a thread of one that
 * prepare() makes and that calls race_start() itself (no .run). Nothing here
 * may wait for a time; to wait for ever is fine, as a round that does not come
 * to its end is a FAIL: "lost wake-up".
 *
 * The runner plays the orders of .forced first, once each, then lets the sides
 * race and searches the delay at which the outcomes mix (race-search.c).
 */
#ifndef UNDEAD_RACE_H
#define UNDEAD_RACE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/util.h"
#include "needs.h"

#define RACE_SIDES    4
#define RACE_OUTCOMES 4
#define NO_SIDE       (-1)

/* In .forced: the side that goes first, so that the outcome is certain. */
#define GOES_FIRST(side) ((side) + 1)

struct round;
struct race_shared;

/**
 * struct race_side - one side
 * @name:  in what is printed
 * @run:   in a thread of the runner, in each round, from the common start; gets
 *         its number in @sides. NULL: see race_start()
 * @count: so many threads of it; 0: one
 */
struct race_side {
	const char *name;
	void (*run)(struct round *r, int side);
	int count;
};

/**
 * struct race - one race, as data
 * @name:     what the user types: lower case, digits and dashes
 * @summary:  one line
 * @needs:    NEED_*
 * @by_name:  not among all, only when it is named
 * @fixed:    the delay stays 0 and is not searched
 * @outcomes: their names; each has to be met. A round may meet several.
 * @sides:    the first is delayed against all others, or they against it
 * @forced:   by outcome: GOES_FIRST(side), or 0 where no order makes it certain
 * @setup:    once, in the runner, before the first round; or NULL
 * @prepare:  before each round; or NULL
 * @settled:  with a forced order: wait until the side that went first is where
 *            it shall be; called by the others. NULL: until it has returned, or
 *            the process of race_fork() has ended
 * @finish:   after each round, when the threads have returned: wait for the
 *            processes, check what was promised; or NULL
 */
struct race {
	const char *name;
	const char *summary;
	unsigned int needs;
	bool by_name;
	bool fixed;
	const char *outcomes[RACE_OUTCOMES];
	struct race_side sides[RACE_SIDES];
	int forced[RACE_OUTCOMES];
	void (*setup)(struct round *r);
	void (*prepare)(struct round *r);
	void (*settled)(struct round *r, int side);
	void (*finish)(struct round *r);
};

/* Pointers to all races stand in one section; nothing else lists them. */
#define RACE(id)                                                       \
	static const struct race id;                                   \
	static const struct race *const id##_entry                     \
		__attribute__((used, retain, section("races"))) = &id; \
	static const struct race id

/**
 * struct round - what the functions of a race get
 */
struct round {
	const struct race *race;
	struct race_shared *shared;
};

/**
 * race_data() - memory that all sides share, 512 bytes, zeroed before prepare()
 */
void *race_data(struct round *r);

/**
 * race_start() - meet the other sides, and go
 * @side: which the caller is; only for a side without .run
 */
void race_start(struct round *r, int side);

/**
 * race_took() - this branch was taken
 * @outcome: number in race.outcomes
 */
void race_took(struct round *r, int outcome);

/**
 * race_check() - a promise that was kept, or not: FAIL
 * @ok: whether
 *
 * The message gives the kernel function and what was seen. Returns @ok.
 */
bool race_check(struct round *r, bool ok, const char *fmt, ...) __printf(3, 4);

/**
 * race_broken() - the scene cannot be set; ends the race
 * race_skip() - this kernel or user lacks what it needs; ends the race
 */
void race_broken(struct round *r, const char *fmt, ...) __printf(2, 3)
	__attribute__((noreturn));
void race_skip(struct round *r, const char *fmt, ...) __printf(2, 3)
	__attribute__((noreturn));

/**
 * race_fork() - a process that ends with the runner, however that ends
 * @side: which it is, or NO_SIDE
 * Return: as fork(2), without an error.
 */
pid_t race_fork(struct round *r, int side);

/**
 * race_clone() - the same by clone3() alone, which is faster
 * @exit_signal: 0: its end sends none (wait with __WALL)
 *
 * The C library knows nothing of it: the process may call what is async-signal-safe
 * (signal-safety(7)) and race_*(), and makes no threads.
 */
pid_t race_clone(struct round *r, int side, int exit_signal);

/**
 * race_pid() - of the process that race_fork() made as this side
 */
pid_t race_pid(struct round *r, int side);

/**
 * race_settled() - what is done without race.settled
 * race_until() - until memory in race_data() is not 0
 */
void race_settled(struct round *r, int side);
void race_until(struct round *r, const int *word);

/**
 * race_count() - threads of a side
 */
int race_count(const struct race *race, int side);

/**
 * race_reap() - wait for a child
 * Return: its wait status, or -errno.
 */
int race_reap(pid_t pid);

/**
 * race_setup_long_exit() - as setup() of a race of exits: measures what takes long
 * race_long_exit() - if @outcome is rare, the exit of the caller takes about 3 ms
 *
 * In exit_mm(): two exits then overlap on busy CPUs too, where they begin a slice
 * of the scheduler apart. To be called before race_start().
 */
void race_setup_long_exit(struct round *r);
void race_long_exit(struct round *r, int outcome);

/**
 * race_told() - take the next SIGCHLD, which is blocked
 * race_told_info() - the same, with all that it tells
 * Return: the pid it tells of; 0: none is pending.
 */
pid_t race_told(void);
pid_t race_told_info(siginfo_t *si);

/**
 * race_work() - a few microseconds of it, where a planted bug has its window
 */
void race_work(void);

/**
 * race_planted() - is this bug planted? In the test build only: UNDEAD_BREAK
 */
#ifdef UNDEAD_RACE_BREAK
bool race_planted(const char *what);
#else
static inline bool race_planted(const char *what)
{
	(void)what;
	return false;
}
#endif

#endif
