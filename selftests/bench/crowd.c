// SPDX-License-Identifier: GPL-2.0
/*
 * crowd PROCESSES THREADS COMMAND...: so many processes with so many threads each,
 * asleep, while the command runs.
 *
 * crowd walk: the yardstick of a scan: the plainest program that reads
 * /proc/PID/status of everybody.
 * crowd rss COMMAND...: its largest resident size in kB.
 * crowd ms BEYOND COMMAND...: how many ms it took beyond so many.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK 16384

static int walk(void)
{
	DIR *dir = opendir("/proc");
	static char text[8192];
	struct dirent *d;
	int n = 0;

	while (dir && (d = readdir(dir))) {
		char path[300];
		int fd;

		if (!isdigit((unsigned char)*d->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/status", d->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		n += read(fd, text, sizeof(text)) > 0;
		close(fd);
	}
	return n == 0;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/*
 * Says so when all its threads are there, and goes with its parent: one that has
 * ended before is met by SIGPIPE.
 */
static void member(int threads, const int *to)
{
	pthread_attr_t attr;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(to[0]);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, &attr, sleeper, NULL))
			_exit(1);
	if (write(to[1], "", 1) != 1)
		_exit(1);
	sleeper(NULL);
}

static int run(char **command, bool quiet)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (quiet && !freopen("/dev/null", "w", stdout))
			_exit(127);
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* One at a time: no more than two run. */
static pid_t add_member(int threads)
{
	int to[2];
	pid_t pid;
	char c;

	if (pipe(to))
		return -1;
	pid = fork();
	if (!pid)
		member(threads, to);
	close(to[1]);
	if (pid > 0 && read(to[0], &c, 1) != 1) {
		kill(pid, SIGKILL);
		pid = -1;
	}
	close(to[0]);
	return pid;
}

static int crowd(int processes, int threads, char **command)
{
	pid_t *pids = calloc((size_t)processes, sizeof(*pids));
	int status = 1, n = 0;

	while (pids && n < processes && (pids[n] = add_member(threads)) > 0)
		n++;
	if (n == processes)
		status = run(command, false);
	else
		fprintf(stderr,
			"crowd: only %d of %d processes with %d threads: raise ulimit -u and kernel.pid_max\n",
			n, processes, threads);
	while (n)
		kill(pids[--n], SIGKILL);
	while (wait(NULL) > 0)
		;
	free(pids);
	return status;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start = now_ms();

	if (argc == 2 && !strcmp(argv[1], "walk"))
		return walk();
	if (argc > 2 && !strcmp(argv[1], "rss")) {
		if (run(argv + 2, true) > 1)
			return 1;
		getrusage(RUSAGE_CHILDREN, &usage);
		printf("%ld\n", usage.ru_maxrss);
		return 0;
	}
	if (argc > 3 && !strcmp(argv[1], "ms")) {
		if (run(argv + 3, true) > 1)
			return 1;
		printf("%.3f\n", now_ms() - start - atof(argv[2]));
		return 0;
	}
	if (argc > 3 && isdigit((unsigned char)*argv[1]))
		return crowd(atoi(argv[1]), atoi(argv[2]), argv + 3);
	fprintf(stderr,
		"usage: crowd PROCESSES THREADS COMMAND... | walk | rss COMMAND... | ms BEYOND COMMAND...\n");
	return 2;
}
