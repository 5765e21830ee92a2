// SPDX-License-Identifier: GPL-2.0
/* K: the helper of core_pattern does not read what is dumped. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scene.h"

#define PATTERN "/proc/sys/kernel/core_pattern"
#define LARGE   (1 << 20) /* a pipe has room for less */

static char before[256];

static pid_t dumping(void)
{
	int fd = open(PATTERN, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, before, sizeof(before) - 1);
	pid_t pid;

	if (n < 0 || !put(PATTERN, "|/bin/sleep 1000"))
		return SCENE_SKIP;
	pid = actor();
	if (!pid) {
		void *full = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(full, 'x', LARGE);
		abort();
	}
	return sleeps_in(pid, "pipe_write") ? pid : SCENE_BROKEN;
}

static void restore(void)
{
	put(PATTERN, before);
}

SCENE(a_dumping) = {
	.name = "core-pipe",
	.needs = SCENE_VM,
	.verdict = "core-dump",
	.status = 1,
	.says = { "CoreDumping", "the helper of core_pattern is", "sleep" },
	.make = dumping,
	.undo = restore,
};
