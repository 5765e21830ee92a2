// SPDX-License-Identifier: GPL-2.0
/* pthread_exit() in main(), or seccomp that has killed the one thread. */
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (!p->tasks[0].dead || !p->alive)
		return false;
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead)
			blame(f, &p->tasks[i]);
	line(&f->evidence,
	     "only the leader's thread has ended: %d of %d threads live, and none of them is stuck",
	     p->alive, p->nr);
	line(&f->evidence,
	     "the parent is told when the last one ends: no SIGCHLD so far, its pidfd is silent");
	line(&f->helps, "nothing, if it is meant to live; kill -9 %d ends it",
	     p->pid);
	return true;
}

VERDICT(leader_exited) = {
	.name = "leader-exited",
	.cause = "alive: only its leader has exited",
	.rank = 120,
	.stuck = true,
	.has = has,
};
