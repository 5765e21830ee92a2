// SPDX-License-Identifier: GPL-2.0
/*
 * A subreaper S exits while its grandchild C loses its parent P: C is adopted by
 * S and then by the next subreaper, or by that at once, for find_new_reaper()
 * passes by a subreaper that has no living thread. Which, the kernel says itself:
 * C gets its parent-death signal, a queued one, at each adoption.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "../race.h"

enum { PARENT, SUBREAPER };
enum { THROUGH, PAST };

struct look {
	pid_t child, adopter;
	int adoptions;
};

/* It looks when it is told to: when P and S are gone. */
static void child(struct round *r, int up)
{
	struct look *l = race_data(r);
	const struct timespec now = { 0 };
	sigset_t death, look;

	sigemptyset(&death);
	sigaddset(&death, SIGRTMIN);
	sigemptyset(&look);
	sigaddset(&look, SIGUSR1);
	sigprocmask(SIG_BLOCK, &death, NULL);
	sigprocmask(SIG_BLOCK, &look, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGRTMIN) < 0)
		race_broken(r, "PR_SET_PDEATHSIG: %m");
	l->child = getpid();
	if (write(up, "x", 1) != 1)
		_exit(1);
	sigwaitinfo(&look, NULL);
	while (sigtimedwait(&death, NULL, &now) > 0)
		l->adoptions++;
	l->adopter = getppid();
	_exit(7);
}

/* P is ready when C is. */
static void parent(struct round *r)
{
	int up[2];
	char byte;

	if (pipe2(up, O_CLOEXEC))
		race_broken(r, "cannot make a pipe: %m");
	if (!race_fork(r, NO_SIDE))
		child(r, up[1]);
	if (read(up[0], &byte, 1) != 1)
		race_broken(r, "the child did not come");
	race_start(r, PARENT);
	_exit(3);
}

static void prepare(struct round *r)
{
	if (race_clone(r, SUBREAPER, 0))
		return;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		race_broken(r, "PR_SET_CHILD_SUBREAPER: %m");
	if (!race_fork(r, PARENT))
		parent(r);
	race_start(r, SUBREAPER);
	_exit(5);
}

static void finish(struct round *r)
{
	const struct look *l = race_data(r);
	int s = race_reap(race_pid(r, SUBREAPER));
	int p = race_reap(race_pid(r, PARENT)), c;

	kill(l->child, SIGUSR1);
	c = race_reap(l->child);
	race_check(r, s == 5 << 8 && p == 3 << 8 && c == 7 << 8,
		   "wait_task_zombie(): all three are reaped by the next subreaper; S %d, P %d, C %d",
		   s, p, c);
	race_check(r, l->adopter == getpid(),
		   "find_new_reaper(): the next subreaper adopts; C has parent %d, expected %d",
		   l->adopter, getpid());
	if (l->adoptions == 2)
		race_took(r, THROUGH);
	else if (race_check(r, l->adoptions == 1,
			    "forget_original_parent(): C is adopted once or twice; was told %d times",
			    l->adoptions))
		race_took(r, PAST);
	while (race_told())
		;
}

RACE(subreaper_exit) = {
	.name = "subreaper-exit",
	.summary = "a subreaper exits while an orphan is to be adopted",
	.outcomes = { "through-it", "past-it" },
	.sides = { { "parent", NULL }, { "subreaper", NULL } },
	.forced = { [THROUGH] = GOES_FIRST(PARENT),
		    [PAST] = GOES_FIRST(SUBREAPER) },
	.prepare = prepare,
	.finish = finish,
};
