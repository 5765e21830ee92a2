/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guardian, runner and sides of a race share. The guardian (race-guard.c)
 * forks the runner (race-run.c), which plays the rounds; the sides (race-round.c)
 * are threads of the runner or its children.
 *
 * All they share is one struct race_shared, a mapping that each fork keeps: the
 * guardian reads there what came of it, however the runner ended.
 */
#ifndef UNDEAD_RACE_ENGINE_H
#define UNDEAD_RACE_ENGINE_H

#include <stdatomic.h>
#include <stddef.h>

#include "race-search.h"
#include "race.h"

#define RACE_DATA   512
#define RACE_CPUS   64
#define RACE_REASON 512

/* How a race ended; the first four as in a scenario. */
enum race_end {
	RACE_PASS,    /* every outcome met, every promise kept */
	RACE_FAIL,    /* a promise was not kept, or a round did not end */
	RACE_BROKEN,  /* our set-up failed */
	RACE_SKIP,    /* this kernel or user lacks what it needs */
	RACE_VACUOUS, /* an outcome was not met: nothing is proved */
	RACE_ENDS,
};

/**
 * struct race_options - what the user asked for
 * @budget_ms: for the free rounds of each race
 * @full:      spend it all; else the proof is the end
 * @pin:       each side on a CPU of its own
 * @repeat:    so many times, each with the next seed
 * @seed:      of the delays
 * @svg:       write the histograms there, or NULL
 */
struct race_options {
	int budget_ms;
	bool full;
	bool pin;
	int repeat;
	uint64_t seed;
	const char *svg;
};

/**
 * struct meeting - a barrier: who comes first spins, yields, and then sleeps
 */
struct meeting {
	_Alignas(64) atomic_uint arrived;
	atomic_uint generation;
	atomic_uint sleepers;
};

/**
 * struct race_side_state - one side in this round
 * @started: how many have left the common start
 * @ended:   how many threads of it have returned
 * @pid:     of the process, when it is one
 */
struct race_side_state {
	_Alignas(64) atomic_int started;
	atomic_int ended;
	atomic_int pid;
};

/**
 * struct race_shared - all of a race
 * @turn:    threads meet here between two rounds; the last turns the page
 * @go:      all sides meet here, and go
 * @parties: sides at @go
 * @life:    read end of the lifeline that the guardian holds
 * @cell, @delay, @first: of this round; @first >= 0: a forced order
 * @met:     mask of outcomes of this round
 * @failed:  a promise was not kept
 * @over:    @end and @reason are set
 * @turns:   rises with every round: the guardian sees progress
 * @stop:    no more rounds
 * @forced_rounds: forced orders played, by outcome
 * @per_us:  turns of the spin loop in a microsecond
 */
struct race_shared {
	struct meeting turn, go;
	struct race_side_state side[RACE_SIDES];
	unsigned int parties, threads;
	int life;
	int cell, first, next_forced;
	int64_t delay;
	_Alignas(64) atomic_uint met;
	atomic_bool failed, over, stop;
	atomic_flag told;
	enum race_end end;
	char reason[RACE_REASON];
	atomic_ulong turns;
	unsigned int forced_rounds[RACE_OUTCOMES];
	double per_us;
	int64_t free_from_ms, free_ms;
	int64_t budget_ms;
	bool full, pin, in_round;
	int cpus[RACE_CPUS], nr_cpus;
	struct search search;
	_Alignas(64) char data[RACE_DATA];
};

/**
 * struct race_result - what came of it
 */
struct race_result {
	const struct race *race;
	const struct race_shared *shared;
	enum race_end end;
	char reason[RACE_REASON];
	uint64_t seed;
	int64_t ms;
};

/* race-round.c */
bool race_meet(struct meeting *m, unsigned int parties,
	       void (*last)(struct round *), struct round *r);
void race_say(struct race_shared *s, enum race_end end, const char *fmt, ...)
	__printf(3, 4);
void race_pin(struct race_shared *s, int party);
void race_spin(struct race_shared *s, int64_t ns);
int race_sides(const struct race *race);
int race_outcomes(const struct race *race);

/* race-run.c */
void race_runner(const struct race *race, struct race_shared *s)
	__attribute__((noreturn));

/* race-guard.c */
const struct race *const *races(size_t *n);
const struct race *race_find(const char *name);
const struct race *race_nearest(const char *name);
const char *race_end_name(enum race_end end);

/**
 * struct race_out - one way to show races
 * @start: before each, so that it is known whose the last round was if the kernel
 *         dies of it; or NULL
 */
struct race_out {
	void (*begin)(size_t n);
	void (*start)(const struct race_result *r);
	void (*show)(const struct race_result *r);
	void (*end)(const int *count, int status);
};

extern const struct race_out race_text, race_tap, race_json;

/**
 * race_all() - be the guardian of some races, one after the other
 * Return: STATUS_*
 */
int race_all(const struct race *const *list, size_t n,
	     const struct race_out *out, const struct race_options *options);

/* race-svg.c: a file that holds the histograms of all races shown */
int race_svg_open(const char *path);
void race_svg_add(const struct race_result *r);
int race_svg_close(void);

#endif
