// SPDX-License-Identifier: GPL-2.0
/*
 * MANY threads held at once, and let go in every way. Fewer would prove nothing:
 * what cannot have as many is skipped, and says what it lacks.
 */
#include <pthread.h>
#include <sys/sysinfo.h>

#include "kselftest_harness.h"
#include "device.h"

#define MANY       10000
#define LONG_MS    100000 /* under the hung-task detector's 120 s */
#define STACK_SIZE (16 << 10)
#define KB_EACH    64 /* both stacks, task_struct, page tables */

FIXTURE(many)
{
	int control;
	int gate;
	pthread_t *thread;
	struct undead_hold *entry;
};

static unsigned long read_limit(const char *path)
{
	unsigned long n = 0;
	FILE *file = fopen(path, "re");

	if (file && fscanf(file, "%lu", &n) != 1)
		n = 0;
	if (file)
		fclose(file);
	return n;
}

/* NULL, or what there is too little of. */
static const char *lacking(int control)
{
	struct sysinfo si;
	unsigned long tasks;

	if (sysinfo(&si) || si.freeram / 1024 * si.mem_unit < MANY * KB_EACH)
		return "memory (--mem 2048)";
	tasks = MANY + (unsigned long)si.procs;
	if (read_limit("/proc/sys/kernel/threads-max") < tasks)
		return "kernel.threads-max";
	if (read_limit("/proc/sys/kernel/pid_max") < tasks)
		return "kernel.pid_max";
	if (read_limit("/proc/sys/vm/max_map_count") < MANY + 1000)
		return "vm.max_map_count";
	if (info(control).max_holds < MANY)
		return "max_holds of the module";
	return NULL;
}

FIXTURE_SETUP(many)
{
	const char *lack;

	MUST_ROOT();
	self->control = control_open();
	ASSERT_LE(0, self->control);
	lack = lacking(self->control);
	if (lack)
		SKIP(return, "too little %s for %d threads", lack, MANY);
	self->gate = gate_create(self->control, POINT(READ), LONG_MS);
	ASSERT_LE(0, self->gate);
	self->thread = calloc(MANY, sizeof(*self->thread));
	self->entry = calloc(MANY + 1, sizeof(*self->entry));
	ASSERT_TRUE(self->thread && self->entry);
}

FIXTURE_TEARDOWN(many)
{
	free(self->thread);
	free(self->entry);
	close(self->gate);
	close(self->control);
}

static void *held_thread(void *gate)
{
	char c;

	return (void *)read(*(int *)gate, &c, 1);
}

/* Returns how many were made. */
static int start_all(FIXTURE_DATA(many) * self)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setguardsize(&attr, 0);
	for (i = 0; i < MANY; i++)
		if (pthread_create(&self->thread[i], &attr, held_thread,
				   &self->gate))
			break;
	pthread_attr_destroy(&attr);
	return i;
}

/* Returns how many there are; more than MANY: MANY + 1. */
static int list_all(FIXTURE_DATA(many) * self)
{
	__u64 after = 0;
	int n = 0, got;

	do {
		got = list(self->gate, after, self->entry + n, MANY + 1 - n);
		n += got < 0 ? 0 : got;
		after = n ? self->entry[n - 1].id : 0;
	} while (got > 0);
	return n;
}

static long ms_since(long *mark)
{
	long before = *mark;

	*mark = now_ms();
	return *mark - before;
}

static void hold_and_release(struct __test_metadata *_metadata,
			     FIXTURE_DATA(many) * self,
			     void (*let_go)(struct __test_metadata *_metadata,
					    FIXTURE_DATA(many) * self))
{
	long mark = now_ms(), hold_ms, release_ms;
	struct undead_counters c;
	int i, started;
	void *ret;

	started = start_all(self);
	EXPECT_EQ(MANY, started);
	EXPECT_EQ(0, await(self->gate, started, LONG_MS));
	hold_ms = ms_since(&mark);
	c = counters(self->gate);
	EXPECT_EQ(MANY, c.held);
	EXPECT_EQ(MANY, c.admitted);
	EXPECT_EQ(MANY, list_all(self));
	mark = now_ms();
	let_go(_metadata, self);
	release_ms = ms_since(&mark);
	c = counters(self->gate);
	EXPECT_EQ(0, c.held);
	EXPECT_EQ(MANY, c.admitted);
	EXPECT_EQ(MANY, c.released[UNDEAD_REASON_REQUEST]);
	/* What the test failed to let go. */
	gate_open(self->gate, 0, NULL);
	for (i = 0; i < started; i++) {
		ret = (void *)-1;
		EXPECT_EQ(0, pthread_join(self->thread[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
	EXPECT_EQ(0, counters(self->control).held);
	TH_LOG("%d held in %ld ms, let go in %ld ms, gone after %ld ms more",
	       started, hold_ms, release_ms, ms_since(&mark));
}

static void all_at_once(struct __test_metadata *_metadata,
			FIXTURE_DATA(many) * self)
{
	__u64 n;

	EXPECT_EQ(0, release(self->gate, UNDEAD_RELEASE_ALL, 0, &n));
	EXPECT_EQ(MANY, n);
}

static void open_for_good(struct __test_metadata *_metadata,
			  FIXTURE_DATA(many) * self)
{
	__u64 n;

	EXPECT_EQ(0, gate_open(self->gate, 0, &n));
	EXPECT_EQ(MANY, n);
}

/* Oldest and newest in turn: none is where the last one was. */
static struct undead_hold *pick(FIXTURE_DATA(many) * self, int i)
{
	return &self->entry[i % 2 ? MANY - 1 - i / 2 : i / 2];
}

/* One line for all that fail. */
static void one_by_one(struct __test_metadata *_metadata,
		       FIXTURE_DATA(many) * self, __u32 what)
{
	int i, done = 0;

	for (i = 0; i < MANY; i++) {
		struct undead_hold *e = pick(self, i);
		__u64 id = what == UNDEAD_RELEASE_TID ? (__u64)e->tid : e->id;

		done += !release(self->gate, what, id, NULL);
	}
	EXPECT_EQ(MANY, done);
}

static void by_tid(struct __test_metadata *_metadata, FIXTURE_DATA(many) * self)
{
	one_by_one(_metadata, self, UNDEAD_RELEASE_TID);
}

static void by_id(struct __test_metadata *_metadata, FIXTURE_DATA(many) * self)
{
	one_by_one(_metadata, self, UNDEAD_RELEASE_HOLD);
}

#define MANY_TEST(how)                                  \
	TEST_F_TIMEOUT(many, how, LONG_MS / 1000)       \
	{                                               \
		hold_and_release(_metadata, self, how); \
	}

MANY_TEST(all_at_once)
MANY_TEST(open_for_good)
MANY_TEST(by_tid)
MANY_TEST(by_id)

TEST_HARNESS_MAIN
