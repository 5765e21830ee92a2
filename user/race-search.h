/* SPDX-License-Identifier: GPL-2.0 */
/* At which delay of one side against the others do the outcomes mix? */
#ifndef UNDEAD_RACE_SEARCH_H
#define UNDEAD_RACE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "race.h"

#define CELLS 128

/* What a proof takes, of each outcome: in 100 rounds, and in 5 % of them. */
#define PROOF_ROUNDS 100
#define PROOF_SHARE  20 /* one in so many */

/**
 * struct cell - one delay
 * @delay:  ns; of the first side, or if negative of the others
 * @from, @to: delays that were sampled as this one
 * @rounds: so many, ever
 * @met:    of them, by outcome
 * @recent, @recent_met: the same, and the old ones are forgotten by and by, as
 *          the window moves when the machine gets another load
 */
struct cell {
	int64_t delay, from, to;
	uint64_t rounds, met[RACE_OUTCOMES];
	uint32_t recent, recent_met[RACE_OUTCOMES];
};

/**
 * struct search - all that was tried, by delay
 * @outcomes: how many there are
 * @fixed:    the delay is 0 and stays so
 * @nr:       cells in use
 * @reach:    widest delay tried, ns
 * @random:   state of the generator: the seed makes it
 * @rounds, @met: sums over all cells
 */
struct search {
	int outcomes;
	bool fixed;
	int nr;
	int64_t reach;
	uint64_t random;
	uint64_t rounds, met[RACE_OUTCOMES];
	struct cell cells[CELLS];
};

void search_begin(struct search *s, int outcomes, bool fixed, uint64_t seed);

/**
 * search_next() - where to sample next
 * Return: number of the cell, good until the next call.
 */
int search_next(struct search *s);

/**
 * search_delay() - a delay in or about a cell
 */
int64_t search_delay(struct search *s, int cell);

/**
 * search_note() - what came of a round
 * @met: mask of outcomes
 */
void search_note(struct search *s, int cell, int64_t delay, unsigned int met);

/**
 * search_proved() - each outcome was met often enough
 */
bool search_proved(const struct search *s);

/**
 * search_unproved() - the outcome that lacks most, when it is not proved
 */
int search_unproved(const struct search *s);

/**
 * search_is_short() - the search does not help: an outcome is too rare
 *
 * After some rounds it is in less than one of ten.
 */
bool search_is_short(const struct search *s, int outcome);

/**
 * search_window() - the delays at which no outcome is sure
 * Return: false when there were none.
 */
bool search_window(const struct search *s, int64_t *from, int64_t *to);

#endif
