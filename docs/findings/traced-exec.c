// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer's waitid(P_PID) for a leader that another thread's execve() has
 * replaced sleeps on, though nothing is left to wait for. Needs no module:
 *
 *	cc -pthread -o traced-exec traced-exec.c && ./traced-exec
 *
 * P has a leader L and threads T and U. X traces L and waits for it. Y traces U,
 * so that T's execve() waits until Y has waited for U: time for X, which the end
 * of L has woken, to sleep again. docs/findings/traced-exec.md has the rest.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int go[2], tid[2];

static void *exec_thread(void *arg)
{
	char c;

	if (read(go[0], &c, 1) == 1)
		execl("/bin/sleep", "sleep", "10", NULL);
	return arg;
}

static void *other_thread(void *arg)
{
	pid_t me = (pid_t)syscall(SYS_gettid);

	if (write(tid[1], &me, sizeof(me)) == sizeof(me))
		pause();
	return arg;
}

static void await_state(pid_t pid, pid_t task, char wanted)
{
	char path[64], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, task);
	while (state != wanted) {
		FILE *f = fopen(path, "r");

		if (!f)
			return;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		fclose(f);
	}
}

static void seize(pid_t pid)
{
	if (!ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return;
	perror("PTRACE_SEIZE (root, or kernel.yama.ptrace_scope 1 or less)");
	exit(2);
}

static volatile sig_atomic_t alarms;

static void count(int sig)
{
	(void)sig;
	alarms++;
}

static int trace_leader(pid_t p)
{
	struct sigaction act = { .sa_handler = count };
	siginfo_t si;
	int r;

	sigaction(SIGALRM, &act, NULL);
	alarm(5);
	r = waitid(P_PID, (id_t)p, &si, WEXITED);
	if (!r || errno != ECHILD) {
		printf("waitid: %d, %s\n", r, strerror(errno));
		return 2;
	}
	puts(alarms ? "ECHILD, after 5 s asleep: woken by the alarm only" :
		      "ECHILD: woken when the leader had gone");
	return alarms != 0;
}

static void trace_thread(pid_t p, pid_t u, pid_t x)
{
	seize(u);
	await_state(x, x, 'S');
	if (write(go[1], "", 1) != 1)
		exit(2);
	await_state(p, p, 'Z');
	await_state(p, u, 'Z');
	/* X was woken by the end of L; now it sleeps again. */
	poll(NULL, 0, 500);
	waitpid(u, NULL, __WALL);
	pause();
}

int main(void)
{
	int ready[2], status = 0;
	pthread_t t;
	pid_t p, u, x, y;
	char c;

	if (pipe(go) || pipe(tid) || pipe(ready))
		return 2;
	p = fork();
	if (!p) {
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
		pthread_create(&t, NULL, exec_thread, NULL);
		pthread_create(&t, NULL, other_thread, NULL);
		for (;;)
			pause();
	}
	if (read(tid[0], &u, sizeof(u)) != sizeof(u))
		return 2;
	x = fork();
	if (!x) {
		seize(p);
		if (write(ready[1], "", 1) != 1)
			return 2;
		return trace_leader(p);
	}
	if (read(ready[0], &c, 1) != 1)
		return 2;
	y = fork();
	if (!y) {
		trace_thread(p, u, x);
		return 0;
	}
	waitpid(x, &status, 0);
	kill(y, SIGKILL);
	kill(p, SIGKILL);
	waitpid(y, NULL, 0);
	waitpid(p, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
