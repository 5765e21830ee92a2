// SPDX-License-Identifier: GPL-2.0
/*
 * wait says 7, SIGCHLD (and PIDFD_GET_INFO) say 3. Needs no module:
 *
 *	cc -pthread -o leader-last leader-last.c && ./leader-last
 *
 * The leader of a process has a table of very many descriptors of its own, so
 * that it is inside exit_files() for a while when it ends with SYS_exit(3).
 * Meanwhile the other thread ends the process with exit_group(7) and is gone
 * first. docs/findings/leader-last.md has the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PF_EXITING 0x4

static void *ends_the_process(void *arg)
{
	unsigned int flags = 0;

	/* Its own table: /proc/self would be the leader's. */
	unshare(CLONE_FILES);
	while (!(flags & PF_EXITING)) {
		FILE *f = fopen("/proc/self/stat", "r");

		if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %u",
				 &flags) != 1)
			exit(2);
		fclose(f);
	}
	syscall(SYS_exit_group, 7);
	return arg;
}

static void child(void)
{
	struct rlimit many = { 1 << 20, 1 << 20 };
	pthread_t t;

	if (setrlimit(RLIMIT_NOFILE, &many)) {
		getrlimit(RLIMIT_NOFILE, &many);
		many.rlim_cur = many.rlim_max;
		setrlimit(RLIMIT_NOFILE, &many);
	}
	pthread_create(&t, NULL, ends_the_process, NULL);
	unshare(CLONE_FILES);
	while (dup(0) >= 0)
		;
	syscall(SYS_exit, 3);
}

int main(void)
{
	siginfo_t told, si;
	sigset_t chld;
	int status;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	for (int i = 0; i < 20; i++) {
		pid = fork();
		if (!pid)
			child();
		sigwaitinfo(&chld, &told);
		waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
		waitpid(pid, &status, 0);
		printf("SIGCHLD says %d, waitid(WNOWAIT) %d, wait4 %d\n",
		       told.si_status, si.si_status, WEXITSTATUS(status));
		if (told.si_status != WEXITSTATUS(status))
			return 1;
	}
	return 0;
}
