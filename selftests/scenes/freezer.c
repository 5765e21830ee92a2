// SPDX-License-Identifier: GPL-2.0
/* I: a frozen cgroup, of v2 and of v1, where not even SIGKILL is taken. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static pid_t victim, keeper;
static int life;

/*
 * Thaws the folder and removes it when who makes it ends, by SIGKILL, too: its
 * member, killed as well then, would stay in D for ever.
 */
static void keep(const char *file, const char *text)
{
	int ends[2];
	char c;

	if (pipe2(ends, O_CLOEXEC))
		_exit(1);
	life = ends[1];
	keeper = fork();
	if (keeper)
		return;
	setsid();
	close(ends[1]);
	while (read(ends[0], &c, 1) > 0)
		;
	write_in(file, text);
	/* It is in there until it is reaped, by its parent or an adopter. */
	while (rmdir(folder) && errno == EBUSY)
		sched_yield();
	_exit(0);
}

/* In a cgroup of its own below the first of these that has @mark. */
static pid_t member(const char *const *roots, const char *mark,
		    const char *file, const char *thawed)
{
	char path[192], number[16];

	do {
		if (!*roots)
			return SCENE_SKIP;
		snprintf(path, sizeof(path), "%s/%s", *roots, mark);
	} while (access(path, F_OK) && roots++);
	snprintf(folder, sizeof(folder), "%s/scene-%d", *roots, getpid());
	keep(file, thawed);
	if (mkdir(folder, 0755))
		return SCENE_SKIP;
	victim = actor();
	if (!victim) {
		close(life);
		linger();
	}
	snprintf(number, sizeof(number), "%d", victim);
	return write_in("cgroup.procs", number) && in_state(victim, "S") ?
		       victim :
		       SCENE_BROKEN;
}

static void end(void)
{
	kill(victim, SIGKILL);
	close(life);
	waitpid(victim, NULL, 0);
	waitpid(keeper, NULL, 0);
}

static pid_t frozen_v2(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup",
					     "/sys/fs/cgroup/unified", NULL };

	pid_t pid = member(roots, "cgroup.controllers", "cgroup.freeze", "0");

	if (pid <= 0)
		return pid;
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
	.undo = end,
};

static pid_t frozen_v1(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/freezer", NULL };

	pid_t pid = member(roots, "tasks", "freezer.state", "THAWED");

	if (pid <= 0)
		return pid;
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
	.undo = end,
};
