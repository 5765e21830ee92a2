// SPDX-License-Identifier: GPL-2.0
/*
 * Which kinds count for the load average: those in D, and those that run.
 *
 * Some of each kind are held at once, of each so many that their sum tells who
 * was counted. Every 5 s calc_global_load() moves the average of one minute by a
 * known part towards the number of those that count: two values of it that
 * follow each other give that number.
 */
#include "kselftest_harness.h"
#include "device.h"

#define TICKS   4           /* the first may have seen only some */
#define TICK_MS 30000       /* 5 s, and whatever a slow machine needs */
#define DECAY   0.919921875 /* EXP_1 of FIXED_1 */
#define OTHERS  6           /* more that may run meanwhile */
#define FEWER   1           /* two decimals */

static const struct {
	__u32 kind;
	int nr;
	bool counts;
} held[] = {
	{ UNDEAD_KIND_SPIN, 5, true },
	{ UNDEAD_KIND_UNINTERRUPTIBLE, 12, true },
	{ UNDEAD_KIND_KILLABLE, 24, true },
	{ UNDEAD_KIND_IOWAIT, 48, true },
	{ UNDEAD_KIND_IDLE, 64, false },
	{ UNDEAD_KIND_INTERRUPTIBLE, 80, false },
};

#define KINDS ((int)(sizeof(held) / sizeof(*held)))

FIXTURE(load)
{
	int control;
	int gate[KINDS];
};

FIXTURE_SETUP(load)
{
	int i;

	MUST_ROOT();
	self->control = control_open();
	for (i = 0; i < KINDS; i++) {
		struct undead_gate_create arg = {
			.size = sizeof(arg),
			.points = POINT(READ),
			.kind = held[i].kind,
			.deadline_ms = (TICKS + 1) * TICK_MS,
		};

		ASSERT_EQ(0,
			  ioctl(self->control, UNDEAD_IOC_GATE_CREATE, &arg));
		self->gate[i] = arg.fd;
	}
}

FIXTURE_TEARDOWN(load)
{
	int i;

	for (i = 0; i < KINDS; i++)
		gate_open(self->gate[i], 0, NULL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(self->control);
}

/* Of one minute. */
static double average(void)
{
	FILE *file = fopen("/proc/loadavg", "re");
	double n = -1;

	if (file && fscanf(file, "%lf", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

/* How many counted when the average changed; negative: it did not. */
static double await_tick(double *last)
{
	long until = now_ms() + TICK_MS;
	double old = *last;

	for (bool late = false; (*last = average()) == old;
	     late = now_ms() > until) {
		if (late)
			return -1;
		poll(NULL, 0, 10);
	}
	return (*last - old * DECAY) / (1 - DECAY);
}

TEST_F_TIMEOUT(load, counts, (TICKS + 1) * TICK_MS / 1000)
{
	double counted = -1, last;
	int i, n, wanted = 0;

	/* The spinners come last: who makes the others wants a CPU. */
	for (i = KINDS - 1; i >= 0; i--) {
		for (n = 0; n < held[i].nr; n++)
			reader(self->gate[i]);
		ASSERT_EQ(0, await(self->gate[i], held[i].nr, TICK_MS));
		wanted += held[i].counts ? held[i].nr : 0;
	}
	last = average();
	for (i = 0; i < TICKS; i++) {
		counted = await_tick(&last);
		TH_LOG("%.1f count for the load, %d of those held do", counted,
		       wanted);
		if (counted >= wanted - FEWER)
			break;
	}
	EXPECT_LE(wanted - FEWER, counted);
	EXPECT_GE(wanted + OTHERS, counted);
}

TEST_HARNESS_MAIN
