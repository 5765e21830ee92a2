// SPDX-License-Identifier: GPL-2.0
/*
 * The exit status of a dead thread changes: 5, and later 7. Needs no module, and no
 * root where a parent may trace its child:
 *
 *	cc -pthread -o thread-code thread-code.c && ./thread-code
 *
 * We trace a thread of our child, which ends by SYS_exit(5). Then the child ends by
 * exit_group(7). docs/findings/thread-code.md has the rest.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int told[2], go[2];

static void *thread(void *arg)
{
	pid_t tid = gettid();
	char byte;

	if (write(told[1], &tid, sizeof(tid)) != sizeof(tid) ||
	    read(go[0], &byte, 1) != 1)
		_exit(2);
	syscall(SYS_exit, 5);
	return arg;
}

/* At each byte one of us ends. */
static void child(void)
{
	pthread_t t;
	char byte;

	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	if (read(go[0], &byte, 1) == 1)
		syscall(SYS_exit_group, 7);
	_exit(2);
}

static int look_at(pid_t tid)
{
	siginfo_t si = { 0 };

	if (waitid(P_PID, (id_t)tid, &si, WEXITED | WNOWAIT | __WALL)) {
		perror("waitid");
		exit(2);
	}
	return si.si_status;
}

static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		exit(2);
	fclose(f);
	return state;
}

int main(void)
{
	int before, after, status = 0;
	siginfo_t si;
	sigset_t chld;
	pid_t pid, tid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	if (pipe(told) || pipe(go))
		return 2;
	pid = fork();
	if (!pid)
		child();
	if (read(told[0], &tid, sizeof(tid)) != sizeof(tid))
		return 2;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL)) {
		perror("PTRACE_SEIZE");
		return 2;
	}
	if (write(go[1], "x", 1) != 1)
		return 2;
	sigwaitinfo(&chld, &si);
	before = look_at(tid);
	if (write(go[1], "x", 1) != 1)
		return 2;
	/* A zombie, and delayed by the thread. */
	while (state_of(pid) != 'Z')
		sched_yield();
	after = look_at(tid);
	waitpid(tid, &status, __WALL);
	printf("SIGCHLD says %d, waitid(WNOWAIT) %d, then %d, wait4 %d\n",
	       si.si_status, before, after, WEXITSTATUS(status));
	waitpid(pid, NULL, 0);
	return before != after || si.si_status != WEXITSTATUS(status);
}
