/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A folder for one test that is gone when the test and all it has started have
 * ended, however they ended: all of them have a pipe open, and a process with
 * nothing else to do waits for its end.
 */
#ifndef UNDEAD_SCRATCH_H
#define UNDEAD_SCRATCH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void scratch_lifeline(const char *dir, int end)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	dup2(end, 0);
	for (int fd = 1; fd < 3; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	execl("/bin/sh", "sh", "-c", "read -r end; rm -rf \"$0\"", dir, NULL);
}

/* Its path into @dir, which has room for @size. */
static bool scratch_make(char *dir, size_t size, const char *name)
{
	const char *tmp = getenv("TMPDIR");
	int ends[2];
	pid_t pid;

	snprintf(dir, size, "%s/undead-%s.XXXXXX", tmp ? tmp : "/tmp", name);
	if (pipe(ends) || !mkdtemp(dir))
		return false;
	pid = fork();
	if (!pid) {
		/* No child of ours: it is nobody's to wait for. */
		if (!fork())
			scratch_lifeline(dir, ends[0]);
		_exit(0);
	}
	close(ends[0]);
	return waitpid(pid, NULL, 0) == pid;
}

#endif
