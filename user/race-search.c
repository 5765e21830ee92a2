// SPDX-License-Identifier: GPL-2.0
/*
 * The search for the window.
 *
 * It widens the delay, to both sides, until each outcome was met somewhere;
 * halves the gap between two delays whose outcomes differ; and then samples
 * where the outcomes mix, most often where the one that lacks most is likely.
 * One choice in EXPLORE goes elsewhere, for the window may move.
 */
#include <string.h>

#include "race-search.h"

#define STEP       64         /* ns, first delay after 0 */
#define REACH      (16 << 20) /* ns, the last */
#define RESOLUTION 16         /* ns, gaps are not halved any more */
#define ENOUGH     8          /* rounds that say something of a cell */
#define FORGET     128 /* rounds of a cell after which those before count half */
#define FORGET_ALL 1024 /* the same of all cells, sampled or not */
#define MIXED      10   /* one in so many is another outcome */
#define EXPLORE    8
#define SOME       256 /* rounds in which it has had its chance */

/* splitmix64 */
static uint64_t draw(struct search *s)
{
	uint64_t z = s->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int draw_below(struct search *s, int n)
{
	return (int)(draw(s) % (uint64_t)n);
}

/* The two that are closest to one another are one from now on. */
static void make_room(struct search *s)
{
	int at = 1;
	struct cell *a, *b;

	for (int i = 2; i + 1 < s->nr; i++)
		if (s->cells[i].delay - s->cells[i - 1].delay <
		    s->cells[at].delay - s->cells[at - 1].delay)
			at = i;
	a = &s->cells[at - 1];
	b = &s->cells[at];
	a->rounds += b->rounds;
	for (int o = 0; o < s->outcomes; o++)
		a->met[o] += b->met[o];
	a->from = a->from < b->from ? a->from : b->from;
	a->to = a->to > b->to ? a->to : b->to;
	memmove(b, b + 1, (size_t)(s->nr - at - 1) * sizeof(*b));
	s->nr--;
}

/* Return: number of the cell of this delay, new or not. */
static int insert(struct search *s, int64_t delay)
{
	int at = 0;

	while (at < s->nr && s->cells[at].delay < delay)
		at++;
	if (at < s->nr && s->cells[at].delay == delay)
		return at;
	if (s->nr == CELLS) {
		make_room(s);
		return insert(s, delay);
	}
	memmove(&s->cells[at + 1], &s->cells[at],
		(size_t)(s->nr - at) * sizeof(*s->cells));
	s->cells[at] = (struct cell){
		.delay = delay,
		.from = delay,
		.to = delay,
	};
	s->nr++;
	return at;
}

void search_begin(struct search *s, int outcomes, bool fixed, uint64_t seed)
{
	*s = (struct search){
		.outcomes = outcomes,
		.fixed = fixed,
		.random = seed,
	};
	insert(s, 0);
}

/* The commonest outcome of a cell; @but: another than this one. */
static int commonest(const struct search *s, const struct cell *c, int but)
{
	int best = -1;

	for (int o = 0; o < s->outcomes; o++)
		if (o != but &&
		    (best < 0 || c->recent_met[o] > c->recent_met[best]))
			best = o;
	return best;
}

static bool is_mixed(const struct search *s, const struct cell *c)
{
	int first, second;

	if (c->recent < ENOUGH || s->outcomes < 2)
		return false;
	first = commonest(s, c, -1);
	second = commonest(s, c, first);
	return c->recent_met[second] * MIXED >= c->recent;
}

static int neediest(const struct search *s)
{
	int needy = 0;

	for (int o = 1; o < s->outcomes; o++)
		if (s->met[o] < s->met[needy])
			needy = o;
	return needy;
}

/* Per mille of its rounds, as if some more had been in vain: few may be luck. */
static unsigned int share(const struct cell *c, int outcome)
{
	return c->recent_met[outcome] * 1000 / (c->recent + ENOUGH);
}

/*
 * One of the cells where the outcome is at least half as likely as anywhere;
 * @mixed: only of those that mix. -1: none.
 */
static int likely(struct search *s, int outcome, bool mixed)
{
	unsigned int best = 0;
	int n = 0, chosen = -1;

	for (int i = 0; i < s->nr; i++)
		if (!mixed || is_mixed(s, &s->cells[i]))
			if (share(&s->cells[i], outcome) > best)
				best = share(&s->cells[i], outcome);
	for (int i = 0; best && i < s->nr; i++)
		if ((!mixed || is_mixed(s, &s->cells[i])) &&
		    share(&s->cells[i], outcome) * 2 >= best &&
		    !draw_below(s, ++n))
			chosen = i;
	return chosen;
}

/* Twice as far, to one side and then to the other. -1: as far as it goes. */
static int widen(struct search *s)
{
	int i;

	if (s->reach > 0) {
		i = insert(s, -s->reach);
		if (!s->cells[i].rounds)
			return i;
	}
	if (s->reach >= REACH)
		return -1;
	s->reach = s->reach ? s->reach * 2 : STEP;
	return insert(s, s->reach);
}

/* Between two delays whose outcomes differ. -1: there are none, or no gap. */
static int halve(struct search *s)
{
	int n = 0, chosen = -1;

	for (int i = 0; i + 1 < s->nr && s->nr < CELLS; i++) {
		const struct cell *a = &s->cells[i], *b = a + 1;

		if (b->delay - a->delay < 2 * RESOLUTION)
			continue;
		if (!is_mixed(s, a) && !is_mixed(s, b) &&
		    commonest(s, a, -1) == commonest(s, b, -1))
			continue;
		if (!draw_below(s, ++n))
			chosen = i;
	}
	if (chosen < 0)
		return -1;
	return insert(s, s->cells[chosen].delay + (s->cells[chosen + 1].delay -
						   s->cells[chosen].delay) /
							  2);
}

/* Those about which little is known first. */
static int sweep(struct search *s)
{
	int a = draw_below(s, s->nr), b = draw_below(s, s->nr);

	return s->cells[a].rounds <= s->cells[b].rounds ? a : b;
}

/* Its edges are not known yet. */
static bool is_wide(const struct search *s)
{
	return is_mixed(s, &s->cells[0]) || is_mixed(s, &s->cells[s->nr - 1]);
}

/* The outcome that lacks most is likely nowhere: its delay is farther out. */
static bool is_scarce(const struct search *s)
{
	int needy = neediest(s);

	for (int i = 0; i < s->nr; i++)
		if (share(&s->cells[i], needy) >=
		    1000 / 2 / (unsigned int)s->outcomes)
			return false;
	return true;
}

static int explore(struct search *s, bool all_met)
{
	int i = -1;

	if (!all_met || is_wide(s) || is_scarce(s))
		i = widen(s);
	if (i < 0 && (all_met || !draw_below(s, 2)))
		i = halve(s);
	return i < 0 ? sweep(s) : i;
}

int search_next(struct search *s)
{
	int needy = neediest(s), i;
	bool all_met = s->met[needy];

	if (s->fixed)
		return 0;
	for (i = 0; i < s->nr; i++) /* what was begun, and is not yet enough */
		if (s->cells[i].rounds < ENOUGH)
			return i;
	if (!all_met || !draw_below(s, is_scarce(s) ? 2 : EXPLORE))
		return explore(s, all_met);
	i = likely(s, needy, true);
	if (i < 0)
		i = halve(s);
	if (i < 0)
		i = likely(s, needy, false);
	return i < 0 ? sweep(s) : i;
}

/* Up to a quarter of the way to its neighbours, so that no delay is missed. */
int64_t search_delay(struct search *s, int cell)
{
	const struct cell *c = &s->cells[cell];
	int64_t down = 0, up = 0;

	if (s->fixed)
		return 0;
	if (cell > 0)
		down = (c->delay - c[-1].delay) / 4;
	if (cell + 1 < s->nr)
		up = (c[1].delay - c->delay) / 4;
	return c->delay - down + (int64_t)(draw(s) % (uint64_t)(down + up + 1));
}

static void forget(const struct search *s, struct cell *c)
{
	c->recent /= 2;
	for (int o = 0; o < s->outcomes; o++)
		c->recent_met[o] /= 2;
}

void search_note(struct search *s, int cell, int64_t delay, unsigned int met)
{
	struct cell *c = &s->cells[cell];

	if (c->recent >= FORGET)
		forget(s, c);
	c->recent++;
	c->rounds++;
	s->rounds++;
	for (int o = 0; o < s->outcomes; o++) {
		uint64_t one = met >> o & 1;

		c->recent_met[o] += (uint32_t)one;
		c->met[o] += one;
		s->met[o] += one;
	}
	for (int i = 0; i < s->nr && s->rounds % FORGET_ALL == 0; i++)
		forget(s, &s->cells[i]);
	if (delay < c->from)
		c->from = delay;
	if (delay > c->to)
		c->to = delay;
}

int search_unproved(const struct search *s)
{
	return neediest(s);
}

bool search_proved(const struct search *s)
{
	uint64_t least = s->met[neediest(s)];

	return least >= PROOF_ROUNDS && least * PROOF_SHARE >= s->rounds;
}

bool search_is_short(const struct search *s, int outcome)
{
	return s->rounds >= SOME && s->met[outcome] * MIXED < s->rounds;
}

bool search_window(const struct search *s, int64_t *from, int64_t *to)
{
	bool found = false;

	for (int i = 0; i < s->nr; i++) {
		const struct cell *c = &s->cells[i];
		uint64_t first = 0, second = 0;

		for (int o = 0; o < s->outcomes; o++)
			if (c->met[o] > first) {
				second = first;
				first = c->met[o];
			} else if (c->met[o] > second) {
				second = c->met[o];
			}
		if (!second || second * MIXED < c->rounds)
			continue;
		if (!found)
			*from = c->from;
		*to = c->to;
		found = true;
	}
	return found;
}
