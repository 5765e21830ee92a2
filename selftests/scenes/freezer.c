// SPDX-License-Identifier: GPL-2.0
/* I: a frozen cgroup, of v2 and of v1, where not even SIGKILL is taken. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

static char folder[128];

static bool write_in(const char *file, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return put(path, text);
}

static bool says(const char *file, const char *wanted)
{
	char path[192], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return strstr(text, wanted);
}

/* In a cgroup of its own below the first of these where one can be made. */
static pid_t member(const char *const *roots, const char *file)
{
	char number[16];
	pid_t pid;

	for (; *roots; roots++) {
		struct stat st;
		char path[192];

		snprintf(folder, sizeof(folder), "%s/scene-%d", *roots,
			 getpid());
		snprintf(path, sizeof(path), "%s/%s", folder, file);
		if (!mkdir(folder, 0755) && !stat(path, &st))
			break;
		rmdir(folder);
	}
	if (!*roots)
		return SCENE_SKIP;
	pid = actor();
	if (!pid)
		linger();
	snprintf(number, sizeof(number), "%d", pid);
	return write_in("cgroup.procs", number) && in_state(pid, "S") ?
		       pid :
		       SCENE_BROKEN;
}

static pid_t victim;

static void thaw_and_remove(const char *file, const char *text)
{
	write_in(file, text);
	kill(victim, SIGKILL);
	/* It is in there until it is reaped, and by us. */
	while (rmdir(folder) && errno == EBUSY) {
		dead_unreaped(victim);
		sched_yield();
	}
}

static void end_v2(void)
{
	thaw_and_remove("cgroup.freeze", "0");
}

static void end_v1(void)
{
	thaw_and_remove("freezer.state", "THAWED");
}

static pid_t frozen_v2(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup",
					     "/sys/fs/cgroup/unified", NULL };

	victim = member(roots, "cgroup.freeze");
	if (victim <= 0)
		return victim;
	if (!write_in("cgroup.freeze", "1"))
		return SCENE_BROKEN;
	while (!says("cgroup.events", "frozen 1"))
		sched_yield();
	return victim;
}

SCENE(a_frozen) = {
	.name = "frozen-v2",
	.needs = SCENE_ROOT,
	.verdict = "frozen",
	.status = 1,
	.says = { "/cgroup.freeze", "ends it where the freezer is of v2" },
	.never = "freezer.state",
	.make = frozen_v2,
	.undo = end_v2,
};

static pid_t frozen_v1(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/freezer", NULL };

	victim = member(roots, "freezer.state");
	if (victim <= 0)
		return victim;
	if (!write_in("freezer.state", "FROZEN"))
		return SCENE_BROKEN;
	while (!says("freezer.state", "FROZEN"))
		sched_yield();
	/* In vain. */
	kill(victim, SIGKILL);
	return in_state(victim, "D") ? victim : SCENE_BROKEN;
}

SCENE(a_frozen_of_old) = {
	.name = "frozen-v1-killed",
	.needs = SCENE_ROOT,
	.verdict = "frozen",
	.status = 1,
	.says = { "freezer.state", "taken when it thaws" },
	.never = "/cgroup.freeze",
	.make = frozen_v1,
	.undo = end_v1,
};
