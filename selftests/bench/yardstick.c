// SPDX-License-Identifier: GPL-2.0
/*
 * Yardstick for one reproduction: the plainest program that forks a process,
 * has it start a thread, kills it and reaps it. ROUNDS times.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *started(void *fd)
{
	if (write(*(int *)fd, "", 1) != 1)
		_exit(1);
	pause();
	return NULL;
}

static void child(int fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, started, &fd))
		_exit(1);
	pause();
	_exit(0);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < rounds; i++) {
		int p[2], status;
		pid_t pid;
		char c;

		if (pipe(p))
			return 1;
		pid = fork();
		if (!pid)
			child(p[1]);
		if (pid < 0 || read(p[0], &c, 1) != 1)
			return 1;
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			return 1;
		close(p[0]);
		close(p[1]);
	}
	return 0;
}
