// SPDX-License-Identifier: GPL-2.0
/*
 * A stopped process group is orphaned, and gets neither SIGHUP nor SIGCONT. Needs
 * no module:
 *
 *	cc -pthread -o orphaned-group orphaned-group.c && ./orphaned-group
 *
 * A thread of K has a table of very many descriptors of its own, so that it is
 * inside exit_files() for a while. Meanwhile the leader of K ends, and P is killed.
 * Then the same is played with the thread gone before that, and the group is told.
 * docs/findings/orphaned-group.md has the rest.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PF_EXITING 0x4

enum { TOLD, NOT_TOLD, TOO_LATE };

/* State and flags of a thread; false: it is gone. */
static bool look(pid_t pid, pid_t tid, char *state, unsigned int *flags)
{
	char path[64];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fscanf(f, "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %u", state,
		    flags) == 2;
	fclose(f);
	return ok;
}

static void await_state(pid_t pid, char wanted)
{
	unsigned int flags;
	char state = 0;

	while (look(pid, pid, &state, &flags) && state != wanted)
		sched_yield();
}

static volatile pid_t tid;
static int many;

static void *thread(void *arg)
{
	struct rlimit lim = { 1 << 20, 1 << 20 };

	if (setrlimit(RLIMIT_NOFILE, &lim)) {
		getrlimit(RLIMIT_NOFILE, &lim);
		lim.rlim_cur = lim.rlim_max;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	unshare(CLONE_FILES);
	while (many && dup(0) >= 0)
		;
	tid = gettid();
	syscall(SYS_exit, 5);
	return arg;
}

/* Its leader ends while the thread does, or when that has. */
static void k(pid_t group)
{
	unsigned int flags = 0;
	pthread_t t;
	char state;

	setpgid(0, group);
	pthread_create(&t, NULL, thread, NULL);
	while (!tid)
		sched_yield();
	while (look(getpid(), tid, &state, &flags) &&
	       (!many || !(flags & PF_EXITING)))
		sched_yield();
	syscall(SYS_exit, 3);
}

/* P, in a group of its own, and J, its child, stopped in another one. */
static pid_t p(int *j)
{
	int told[2];
	pid_t pid, child;

	if (pipe(told))
		exit(2);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		child = fork();
		if (!child) {
			setpgid(0, 0);
			raise(SIGSTOP);
			_exit(0);
		}
		if (write(told[1], &child, sizeof(child)) != sizeof(child))
			_exit(2);
		pause();
		_exit(0);
	}
	if (read(told[0], j, sizeof(*j)) != sizeof(*j))
		exit(2);
	return pid;
}

static int threads(pid_t pid)
{
	char path[64];
	DIR *d;
	int n = -2;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* A session leader, and the parent of P and K. */
static int s(void)
{
	pid_t pid, j, of_k;
	unsigned int flags;
	char state = 0;
	bool in_time;

	setsid();
	pid = p(&j);
	await_state(j, 'T');
	of_k = fork();
	if (!of_k)
		k(j);
	await_state(of_k, 'Z');
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	in_time = !many || threads(of_k) == 2;
	waitpid(of_k, NULL, 0);
	/* Who has got SIGHUP is dead, or about to die. */
	if (!look(j, j, &state, &flags) || state != 'T')
		return in_time ? TOLD : TOO_LATE;
	kill(j, SIGKILL);
	return in_time ? NOT_TOLD : TOO_LATE;
}

/* Return: what became of J. */
static int play(void)
{
	static const char *const what[] = { "SIGHUP and SIGCONT",
					    "nothing, it stays stopped", "?" };
	int status, result = TOO_LATE;

	for (int i = 0; i < 50 && result == TOO_LATE; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(s());
		waitpid(pid, &status, 0);
		/* J, too, whom we adopt. */
		while (wait(NULL) > 0)
			;
		result = WIFEXITED(status) ? WEXITSTATUS(status) : TOO_LATE;
	}
	printf("the thread of K %s when P is killed: the orphaned group gets %s\n",
	       many ? "is in exit_files()" : "is gone",
	       what[result > TOO_LATE ? TOO_LATE : result]);
	return result;
}

int main(void)
{
	int told, not_told;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	told = play();
	many = 1;
	not_told = play();
	if (told != TOLD || not_told > NOT_TOLD)
		return 2;
	return not_told == NOT_TOLD;
}
