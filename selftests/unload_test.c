// SPDX-License-Identifier: GPL-2.0
/*
 * The module cannot be unloaded while anything of it is in use: that is refused
 * at once and never hangs. Afterwards it can.
 */
#include "kselftest_harness.h"
#include "device.h"

/* 0 or the errno. */
static int unload(void)
{
	return syscall(SYS_delete_module, "undead", O_NONBLOCK) ? errno : 0;
}

TEST(control_file_is_open)
{
	int fd;

	MUST_ROOT();
	fd = control_open();
	EXPECT_EQ(EWOULDBLOCK, unload());
	close(fd);
}

TEST(gate_is_open)
{
	int fd, gate;

	MUST_ROOT();
	fd = control_open();
	gate = gate_create(fd, POINT(READ), DEADLINE_MS);
	close(fd);
	EXPECT_EQ(EWOULDBLOCK, unload());
	close(gate);
}

TEST(thread_is_held)
{
	int fd, gate;
	pid_t pid;

	MUST_ROOT();
	fd = control_open();
	gate = gate_create(fd, POINT(READ), DEADLINE_MS);
	pid = reader(gate);
	EXPECT_EQ(0, await(gate, 1, AWAIT_MS));
	EXPECT_TRUE(await_state(pid, 'D'));
	close(gate);
	EXPECT_EQ(EWOULDBLOCK, unload());
	EXPECT_EQ('D', state_of(pid));
	EXPECT_EQ(0, release(fd, UNDEAD_RELEASE_TID, pid, NULL));
	EXPECT_EQ(0, ended(pid));
}

/* The lifeline may still be about to run: unloading waits for it, no longer. */
TEST(nothing_is_open)
{
	const char *module = getenv("UNDEAD_MODULE");
	char command[512];
	int fd, gate;
	long start;
	char c;

	MUST_ROOT();
	fd = control_open();
	gate = gate_create(fd, POINT(READ), 20);
	EXPECT_EQ(0, read(gate, &c, 1));
	close(gate);
	close(fd);
	start = now_ms();
	EXPECT_EQ(0, unload());
	EXPECT_GT(start + 1000, now_ms());
	EXPECT_EQ(-1, access(DEVICE, F_OK));
	snprintf(command, sizeof(command), "undead load %s%s",
		 module ? "--module " : "", module ? module : "");
	EXPECT_EQ(0, system(command));
}

TEST_HARNESS_MAIN
