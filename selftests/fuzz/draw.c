// SPDX-License-Identifier: GPL-2.0
/* From a seed to the steps of its sequences: nothing is played here. */
#include "ops.h"

#define FAULTY 8

__u64 draw(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static unsigned int weights(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < op_count; i++)
		n += ops[i].weight;
	return n;
}

/* All that is drawn is drawn here, and depends on nothing that happens. */
static struct step draw_step(__u64 *state)
{
	__u64 r = draw(state);
	struct step s = { .a = (__u32)draw(state), .b = (__u32)draw(state) };
	unsigned int w = (unsigned int)(r % weights()), by;

	while (w >= ops[s.op].weight)
		w -= ops[s.op++].weight;
	r >>= 20;
	by = ops[s.op].by;
	s.actor = ACTORS;
	if (!(by & BY_S) || (by != BY_S && r % 2))
		s.actor = by & BY_THREAD ? r / 2 % ACTORS :
					   THREADS + r / 2 % (ACTORS - THREADS);
	r >>= 8;
	s.slot = r & 15;
	r >>= 4;
	if (!(ops[s.op].on & ON_GATE) ||
	    (ops[s.op].on & ON_CONTROL && r % 16 == 0))
		s.flags |= STEP_WIDE;
	r >>= 4;
	if (s.actor >= THREADS && s.actor < ACTORS && r % 16 == 0)
		s.flags |= STEP_KEEP;
	r >>= 4;
	if (s.actor < ACTORS && r % 8 == 0)
		s.flags |= STEP_THREAD;
	r >>= 4;
	if (!(ops[s.op].on & NO_FAULT) && r % FAULTY == 0)
		s.flags |= STEP_FAULT;
	return s;
}

/* A sequence begins with gates, so that there is something to hold at. */
static void first_gate(struct step *s, int i)
{
	s->op = CREATE;
	s->actor = ACTORS;
	s->flags = STEP_WIDE;
	s->slot = (__u8)i;
}

struct step next_step(__u64 *state, int i)
{
	struct step s = draw_step(state);

	if (i < GATES)
		first_gate(&s, i);
	return s;
}

__u64 mix(__u64 hash, const struct step *s)
{
	for (unsigned int i = 0; i < sizeof(*s); i++)
		hash = (hash ^ ((const __u8 *)s)[i]) * 0x100000001b3ULL;
	return hash;
}

__u64 first_state(__u64 seed, __u64 number)
{
	return draw(&seed) + number;
}

/* What the digest of a run must be: nothing is played. */
__u64 digest(__u64 seed, __u64 first, __u64 end)
{
	__u64 sum = 0;

	for (__u64 n = first; n < end; n++) {
		__u64 state = first_state(seed, n), hash = n;

		for (int i = 0; i < STEPS; i++) {
			struct step s = next_step(&state, i);

			hash = mix(hash, &s);
		}
		sum += hash;
	}
	return sum;
}

void print_step(const struct step *s)
{
	char who[16] = "S";

	if (s->actor < ACTORS)
		snprintf(who, sizeof(who), "%s %u",
			 s->actor < THREADS ? "thread" : "process", s->actor);
	printf("# %-10s %-15s slot %-2u flags %u a %#x b %#x\n", who,
	       ops[s->op].name, s->slot, s->flags, s->a, s->b);
}
