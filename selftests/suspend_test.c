// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend lets everybody go before it freezes tasks: a thread held in D cannot
 * be frozen, and suspend would fail after 20 s. The kernel stops after freezing
 * and thaws (pm_test), so nothing really sleeps.
 */
#include "kselftest_harness.h"
#include "device.h"

#define HELD 2

FIXTURE(suspend)
{
	int control;
	int gate;
};

FIXTURE_SETUP(suspend)
{
	MUST_ROOT();
	if (put("/sys/power/pm_test", "freezer"))
		SKIP(return, "needs CONFIG_PM_SLEEP_DEBUG");
	self->control = control_open();
	self->gate = gate_create(self->control, POINT(READ), 50000);
	ASSERT_LE(0, self->gate);
}

FIXTURE_TEARDOWN(suspend)
{
	put("/sys/power/pm_test", "none");
	close(self->gate);
	close(self->control);
}

/* The failure that is expected without the notifier takes 20 s. */
TEST_F_TIMEOUT(suspend, releases, 60)
{
	pid_t pid[HELD];
	int i;

	for (i = 0; i < HELD; i++)
		pid[i] = reader(self->gate);
	EXPECT_EQ(0, await(self->gate, HELD, AWAIT_MS));
	for (i = 0; i < HELD; i++)
		EXPECT_TRUE(await_state(pid[i], 'D'));
	EXPECT_EQ(0, put("/sys/power/state", "freeze"));
	EXPECT_EQ(HELD, counters(self->gate).released[UNDEAD_REASON_SHUTDOWN]);
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	for (i = 0; i < HELD; i++)
		EXPECT_EQ(0, ended(pid[i]));

	/* Awake again, gates hold again. */
	EXPECT_EQ(0, rearm(self->gate));
	pid[0] = reader(self->gate);
	EXPECT_EQ(0, await(self->gate, 1, AWAIT_MS));
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	EXPECT_EQ(0, ended(pid[0]));
}

TEST_HARNESS_MAIN
