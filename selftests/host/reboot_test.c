// SPDX-License-Identifier: GPL-2.0
/*
 * On reboot and power-off with threads held the console says how many were
 * released; a module without the notifier does not, so this can fail. Each
 * point is a VM. UNDEAD_SUITE chooses the kernel.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#define HELD 3

static const struct {
	const char *how;
	const char *kernel_says;
	const char *without;
} points[] = {
	{ "reboot", "reboot: Restarting system", "" },
	{ "poweroff", "reboot: Power down", "" },
	{ "reboot", "reboot: Restarting system", "no-reboot-notifier" },
};

/* All three are asleep in D before the machine goes down. */
static const char guest[] =
	"for i in 1 2 3; do cat /dev/undead & done\n"
	"until [ $(grep -ls \"^State:.D\" /proc/[0-9]*/status | wc -l) = 3 ]\n"
	"do :; done\n"
	"%s -f\n";

static bool contains(const char *directory, const char *text)
{
	char line[2048];
	bool found = false;
	FILE *file;

	snprintf(line, sizeof(line), "%s/console.log", directory);
	file = fopen(line, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

static void go_down(const char *directory, int point)
{
	const char *suite = getenv("UNDEAD_SUITE");
	char command[4096], script[512];

	snprintf(script, sizeof(script), guest, points[point].how);
	snprintf(command, sizeof(command),
		 "UNDEAD_BREAK='%s' scripts/vm.sh --suite %s --artifacts %s --append 'quiet loglevel=4' -- sh -c '%s' >%s/out 2>&1",
		 points[point].without, suite ? suite : "trixie", directory,
		 script, directory);
	/* 126: the guest went down before the command ended. */
	if (system(command) < 0)
		perror("system");
}

static bool test(const char *top, int point)
{
	char directory[1100], says[64], command[1200];
	bool wanted = !*points[point].without, ok;

	snprintf(directory, sizeof(directory), "%s/%d", top, point);
	if (mkdir(directory, 0700))
		return false;
	go_down(directory, point);
	snprintf(says, sizeof(says), "undead: reboot: %d threads released",
		 HELD);
	ok = contains(directory, points[point].kernel_says) &&
	     contains(directory, says) == wanted;
	if (!ok) {
		snprintf(command, sizeof(command), "sed 's/^/# /' %s/*",
			 directory);
		fflush(stdout);
		if (system(command))
			printf("# no console in %s\n", directory);
	}
	return ok;
}

int main(void)
{
	const int n = sizeof(points) / sizeof(points[0]);
	int i, failed = 0;
	char top[1024];

	if (!scratch_make(top, sizeof(top), "reboot"))
		return 1;
	printf("TAP version 13\n1..%d\n", n);
	for (i = 0; i < n; i++) {
		bool ok = test(top, i);

		failed += !ok;
		printf("%sok %d %s%s%s\n", ok ? "" : "not ", i + 1,
		       points[i].how,
		       *points[i].without ? " with " : " counts the held",
		       points[i].without);
		fflush(stdout);
	}
	return failed ? 1 : 0;
}
