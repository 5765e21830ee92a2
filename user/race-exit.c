// SPDX-License-Identifier: GPL-2.0
/*
 * Exits that take long. Where two exits race, the window is as wide as they are,
 * and on a CPU that is shared a few microseconds are hardly ever met: the sides
 * start a slice of the scheduler apart.
 *
 * What exit_mm() has to undo is mapped for that: the same pages of a file in
 * memory, over and over, so that none has to be cleared or is used up.
 */
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "race-engine.h"

#define SIZE    (2 << 20)
#define MOST    64 /* times */
#define LONG_US 3000

static int file = -1;
static int64_t times;

static void *map(void)
{
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, file, 0);
}

/* The quickest of some: the others were interrupted. */
static int64_t unmap_us(void)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 8; i++) {
		void *p = map();
		struct timespec a, b;
		int64_t us;

		clock_gettime(CLOCK_MONOTONIC, &a);
		munmap(p, SIZE);
		clock_gettime(CLOCK_MONOTONIC, &b);
		us = (b.tv_sec - a.tv_sec) * 1000000 +
		     (b.tv_nsec - a.tv_nsec) / 1000;
		best = us < best ? us : best;
	}
	return best;
}

void race_setup_long_exit(struct round *r)
{
	file = memfd_create("undead", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, SIZE))
		race_broken(r, "cannot make a file in memory: %m");
	times = LONG_US / (unmap_us() + 1) + 1;
	times = times < MOST ? times : MOST;
}

void race_long_exit(struct round *r, int outcome)
{
	if (!search_is_short(&r->shared->search, outcome))
		return;
	for (int64_t i = 0; i < times; i++)
		if (map() == MAP_FAILED)
			race_broken(r, "cannot map a file in memory: %m");
}
