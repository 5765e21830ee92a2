// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events say what was held and why it went on. Tracing goes to an
 * instance of its own, so as not to disturb other users of it.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "device.h"

#define EVENT "events/undead/enable"

FIXTURE(trace)
{
	char dir[64];
};

static int put_in(const char *dir, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return put(path, value);
}

FIXTURE_SETUP(trace)
{
	const char *root = "/sys/kernel/tracing";

	MUST_ROOT();
	mount("tracefs", root, "tracefs", 0, NULL);
	snprintf(self->dir, sizeof(self->dir), "%s/instances/undead-%d", root,
		 getpid());
	if (mkdir(self->dir, 0700))
		SKIP(return, "needs tracefs with instances");
	ASSERT_EQ(0, put_in(self->dir, EVENT, "1"));
}

FIXTURE_TEARDOWN(trace)
{
	put_in(self->dir, EVENT, "0");
	rmdir(self->dir);
}

/* Is there a line with all of these words? */
static bool traced(const char *dir, const char *event, const char *words)
{
	char path[128], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", dir);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, event) && strstr(line, words);
	if (file)
		fclose(file);
	return found;
}

TEST_F(trace, hold_and_release)
{
	int control = control_open();
	int gate = gate_create(control, POINT(READ), DEADLINE_MS);
	struct undead_hold entry;
	char words[128];
	pid_t pid;

	pid = reader(gate);
	EXPECT_EQ(0, await(gate, 1, AWAIT_MS));
	ASSERT_EQ(1, list(gate, 0, &entry, 1));
	snprintf(words, sizeof(words),
		 "gate=%llu hold=%llu tid=%d point=read kind=uninterruptible\n",
		 entry.gate, entry.id, pid);
	EXPECT_TRUE(traced(self->dir, "undead_hold:", words));
	EXPECT_FALSE(traced(self->dir, "undead_release:", ""));
	EXPECT_EQ(0, release(gate, UNDEAD_RELEASE_ALL, 0, NULL));
	EXPECT_EQ(0, ended(pid));
	snprintf(words, sizeof(words),
		 "gate=%llu hold=%llu tid=%d point=read reason=request held_ns=",
		 entry.gate, entry.id, pid);
	EXPECT_TRUE(traced(self->dir, "undead_release:", words));
}

static bool format_has(const char *event, const char *text)
{
	char path[128], all[8192] = "";
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/kernel/tracing/events/undead/%s/format", event);
	file = fopen(path, "re");
	if (file) {
		all[fread(all, 1, sizeof(all) - 1, file)] = 0;
		fclose(file);
	}
	return strstr(all, text);
}

/* perf and trace-cmd print by the format alone. No address is printed. */
TEST_F(trace, format)
{
	static const char *const event[] = { "undead_hold", "undead_release" };
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(format_has(event[i], "{ 6, \"aio\" }"));
		EXPECT_FALSE(format_has(event[i], "UNDEAD_"));
		EXPECT_FALSE(format_has(event[i], "%p"));
	}
}

TEST_F(trace, reason)
{
	int gate = gate_create(control_open(), POINT(READ), 10);
	char c;

	EXPECT_EQ(0, read(gate, &c, 1));
	EXPECT_TRUE(traced(self->dir, "undead_release:", "reason=deadline"));
}

TEST_HARNESS_MAIN
