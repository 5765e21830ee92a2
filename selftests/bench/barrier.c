// SPDX-License-Identifier: GPL-2.0
/*
 * Yardstick for the rounds of 'undead race', with nothing in between; prints us
 * for each round:
 *
 * barrier threads N    N threads meet at a barrier, go, and are joined at another
 * barrier processes N  N processes are forked, meet at a barrier, and are reaped
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 2
#define MOST    64

static pthread_barrier_t *go, *join;

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void *thread(void *unused)
{
	for (;;) {
		pthread_barrier_wait(go);
		pthread_barrier_wait(join);
	}
	return unused;
}

static void round_of_threads(int n)
{
	(void)n;
	pthread_barrier_wait(go);
	pthread_barrier_wait(join);
}

static void round_of_processes(int n)
{
	for (int i = 0; i < n; i++)
		if (!fork()) {
			pthread_barrier_wait(go);
			_exit(0);
		}
	for (int i = 0; i < n; i++)
		wait(NULL);
}

static pthread_barrier_t *barrier(int n)
{
	pthread_barrierattr_t shared;
	pthread_barrier_t *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	if (b == MAP_FAILED ||
	    pthread_barrier_init(b, &shared, (unsigned int)n))
		exit(1);
	return b;
}

int main(int argc, char **argv)
{
	bool threads = argc == 3 && !strcmp(argv[1], "threads");
	int n = argc == 3 ? atoi(argv[2]) : 0, rounds = 0;
	double from;

	if (n < 1 || n > MOST ||
	    (!threads && strcmp(argv[1], "processes") != 0))
		return fprintf(stderr, "usage: barrier threads|processes N\n"),
		       2;
	go = barrier(threads ? n + 1 : n);
	join = barrier(n + 1);
	for (int i = 0; threads && i < n; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, thread, NULL))
			return 1;
	}
	for (from = now_us(); now_us() - from < SECONDS * 1e6; rounds++)
		(threads ? round_of_threads : round_of_processes)(n);
	printf("%.3f\n", (now_us() - from) / rounds);
	fflush(stdout);
	_exit(0);
}
