// SPDX-License-Identifier: GPL-2.0
/* A: somebody writes to a file system that is frozen, as for a snapshot. */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scene.h"

#define WHERE "/tmp/frozen"

static int root = -1;

static bool mount_image(void)
{
	static const char command[] =
		"{ truncate -s 8M " WHERE ".img && mke2fs -F " WHERE
		".img && mkdir -p " WHERE " && mount -o loop " WHERE
		".img " WHERE "; } >/dev/null 2>&1";

	if (system(command))
		return false;
	root = open(WHERE, O_RDONLY | O_CLOEXEC);
	return root >= 0;
}

static pid_t writer(void)
{
	int to[2];
	pid_t pid;

	if (!mount_image() || pipe(to))
		return SCENE_SKIP;
	pid = actor();
	if (!pid) {
		int fd = open(WHERE "/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		char c;

		say(to, getpid());
		/* Until it is frozen. */
		while (write(fd, "x", 1) == 1)
			;
		_exit(read(to[0], &c, 1) < 0);
	}
	hear(to);
	if (ioctl(root, FIFREEZE, 0))
		return SCENE_BROKEN;
	return in_state(pid, "D") ? pid : SCENE_BROKEN;
}

static pid_t killed_writer(void)
{
	pid_t pid = writer();

	if (pid > 0)
		kill(pid, SIGKILL);
	return pid;
}

static void thaw(void)
{
	ioctl(root, FITHAW, 0);
	close(root);
	if (system("umount -l " WHERE))
		return;
}

SCENE(a_frozen_writer) = {
	.name = "fsfreeze",
	.needs = SCENE_VM,
	.verdict = "asleep-in-kernel",
	.status = 1,
	.says = { "(write) of descriptor", "fsfreeze -u " WHERE },
	.make = writer,
	.undo = thaw,
};

SCENE(a_killed_writer) = {
	.name = "fsfreeze-killed",
	.needs = SCENE_VM,
	.verdict = "killed-in-kernel",
	.status = 1,
	.says = { "(write) of descriptor", "fsfreeze -u " WHERE },
	.make = killed_writer,
	.undo = thaw,
};
