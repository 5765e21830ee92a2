// SPDX-License-Identifier: GPL-2.0
/*
 * Threads come to a gate while it is opened for good: each is admitted and then
 * woken, or passes. undead_gate_open() sets gate->open and takes what is held
 * under the lock under which admit() looks at it.
 */
#include "device.h"

enum { READER, OPENER };
enum { ADMITTED, PASSED };

#define READERS 2

static int gate;
static struct undead_counters before;
static int64_t let_go;
static atomic_int returned;

static void setup(struct round *r)
{
	gate = race_gate(r, race_device(r), LONG_MS);
}

static void prepare(struct round *r)
{
	if (dev_rearm(gate) || dev_counters(gate, &before))
		race_broken(r, "cannot close the gate again: %m");
	atomic_store(&returned, 0);
}

static void reader(struct round *r, int side)
{
	char byte;

	(void)r;
	(void)side;
	if (!read(gate, &byte, 1))
		atomic_fetch_add(&returned, 1);
}

static void opener(struct round *r, int side)
{
	(void)r;
	(void)side;
	let_go = dev_gate_open(gate, 0);
}

static void settled(struct round *r, int side)
{
	if (side == OPENER)
		race_settled(r, side);
	else
		dev_await(gate, READERS, LONG_MS);
}

static void finish(struct round *r)
{
	struct undead_counters c = race_adds_up(r, gate, &before, READERS);

	race_check(r, returned == READERS,
		   "undead_hold(): read() returned 0 to %d of %d", returned,
		   READERS);
	race_check(r,
		   let_go == (int64_t)c.admitted &&
			   c.released[UNDEAD_REASON_REQUEST] == c.admitted,
		   "undead_open(): said that it let %lld go; %llu were released by request, of %llu",
		   (long long)let_go, c.released[UNDEAD_REASON_REQUEST],
		   c.admitted);
	if (c.admitted)
		race_took(r, ADMITTED);
	if (c.passed)
		race_took(r, PASSED);
}

RACE(hold_open) = {
	.name = "hold-open",
	.summary = "threads come to a gate while it is opened for good",
	.needs = NEED_DEVICE,
	.outcomes = { "admitted", "passed" },
	.sides = { { "reader", reader, READERS }, { "opener", opener, 1 } },
	.forced = { [ADMITTED] = GOES_FIRST(READER),
		    [PASSED] = GOES_FIRST(OPENER) },
	.setup = setup,
	.prepare = prepare,
	.settled = settled,
	.finish = finish,
};
