// SPDX-License-Identifier: GPL-2.0
/*
 * Since our module was loaded the kernel has complained of nothing: no bug, no
 * warning, no lock held wrongly, no hung task, no memory lost. It says most on a
 * debug kernel (make check-debug). By its name it is the last test to run.
 */
#include <sys/mount.h>

#include "kselftest_harness.h"
#include "device.h"

#define LOADED   "undead: loading out-of-tree module"
#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define LINE     1024

static const char *const complaints[] = {
	"BUG:",       "WARNING:", "Oops",           "KASAN:",
	"INFO: task", "UBSAN:",   "detected stall", "suspicious RCU",
};

static bool complains(const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
		if (strstr(line, complaints[i]))
			return true;
	return false;
}

TEST(kernel_has_not_complained)
{
	int fd, found = 0;
	char line[LINE];
	ssize_t n;

	MUST_ROOT();
	/* An emulated CPU that the host forgets is told of as a stall. */
	if (access(KMEMLEAK, F_OK))
		SKIP(return, "needs a debug kernel (make check-debug)");
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, fd);
	/* EPIPE: what we were about to read was overwritten. */
	while ((n = read(fd, line, LINE - 1)) > 0 || errno == EPIPE) {
		if (n <= 0)
			continue;
		line[n] = 0;
		if (strstr(line, LOADED))
			found = 0;
		if (complains(line)) {
			found++;
			TH_LOG("%s", line);
		}
	}
	EXPECT_EQ(0, found);
	close(fd);
}

/* A leak is what two scans in a row have not found a pointer to. */
TEST(nothing_is_lost)
{
	char line[LINE] = "";
	FILE *file;
	int lost = 0;

	MUST_ROOT();
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (put(KMEMLEAK, "scan") || put(KMEMLEAK, "scan"))
		SKIP(return, "needs CONFIG_DEBUG_KMEMLEAK");
	file = fopen(KMEMLEAK, "re");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "undead"))
			continue;
		TH_LOG("%s", line);
		lost++;
	}
	EXPECT_EQ(0, lost);
	fclose(file);
}

TEST_HARNESS_MAIN
