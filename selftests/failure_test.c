// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy that a call makes fails once, the first, the
 * second, and so on until the call succeeds: each failure is reported, and leaves
 * neither a gate nor an enrolment nor an fd.
 */
#include <linux/aio_abi.h>

#include "kselftest_harness.h"
#include "device.h"

#define MANY 200

FIXTURE(failure)
{
	int control;
	int gate;
	int nth; /* /proc/thread-self/fail-nth */
};

FIXTURE_SETUP(failure)
{
	MUST_ROOT();
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0)
		SKIP(return, "needs CONFIG_FAULT_INJECTION");
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/fail_usercopy/verbose", "0");
	self->control = control_open();
	self->gate = gate_create(self->control, 0, DEADLINE_MS);
	ASSERT_LE(0, self->gate);
}

FIXTURE_TEARDOWN(failure)
{
	close(self->gate);
	close(self->control);
	close(self->nth);
}

/* From now on the nth place that can fail does; perhaps in here. */
static void arm(int nth, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	while (pwrite(nth, text, strlen(text), 0) < 0)
		;
}

/* Returns whether the call was over before the failure came. */
static bool disarm(int nth)
{
	char text[16] = "";
	bool passed = pread(nth, text, sizeof(text) - 1, 0) < 0 || atoi(text);

	arm(nth, 0);
	return passed;
}

/* A call: 0, or -1 and errno; what it made is put away. */
static int do_open(int control, int gate)
{
	int fd = control_open();

	return fd < 0 ? -1 : close(fd);
}

static int do_create(int control, int gate)
{
	int fd = gate_create(control, 0, DEADLINE_MS);

	return fd < 0 ? -1 : close(fd);
}

static int do_enrol(int control, int gate)
{
	return enrol(gate, UNDEAD_ENROL_GROUP, 0);
}

static int do_list(int control, int gate)
{
	struct undead_hold holds[4];

	return list(control, 0, holds, 4) < 0 ? -1 : 0;
}

static int do_release(int control, int gate)
{
	return release(gate, UNDEAD_RELEASE_ALL, 0, NULL);
}

static int do_count(int control, int gate)
{
	struct undead_counters arg = { .size = sizeof(arg) };

	return ioctl(gate, UNDEAD_IOC_COUNTERS, &arg);
}

#define FAILURE(name, call)                                          \
	TEST_F(failure, name)                                        \
	{                                                            \
		unsigned int gates = info(self->control).gates;      \
		int n, failed = 0;                                   \
		for (n = 1; n < MANY; n++) {                         \
			int err, cause;                              \
			bool passed;                                 \
			arm(self->nth, n);                           \
			err = call(self->control, self->gate);       \
			cause = errno;                               \
			passed = disarm(self->nth);                  \
			EXPECT_EQ(gates, info(self->control).gates); \
			if (passed && !err)                          \
				break;                               \
			failed += !!err;                             \
			if (err)                                     \
				EXPECT_TRUE(cause == ENOMEM ||       \
					    cause == EFAULT ||       \
					    cause == ENFILE);        \
		}                                                    \
		EXPECT_GT(MANY, n);                                  \
		EXPECT_LT(0, failed);                                \
		EXPECT_EQ(0, call(self->control, self->gate));       \
	}

FAILURE(open, do_open)
FAILURE(create, do_create)
FAILURE(enrol, do_enrol)
FAILURE(list, do_list)
FAILURE(release, do_release)
FAILURE(counters, do_count)

TEST_HARNESS_MAIN
