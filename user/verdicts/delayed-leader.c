// SPDX-License-Identifier: GPL-2.0
/* delay_group_leader(): Z, and its group is not empty. */
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	int n = 0;

	if (!p->tasks[0].dead)
		return false;
	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (t->st.state != 'D' || !t->still)
			continue;
		blame(f, t);
		if (!n++)
			what_helps(p, f, t);
	}
	if (!n)
		return false;
	line(&f->evidence,
	     "%d of %d threads still alive: the parent is told and can reap when the last is gone",
	     p->alive, p->nr);
	line(&f->no_use,
	     "kill -9 %d once more, a restart of its parent, an init that reaps",
	     p->pid);
	return true;
}

VERDICT(delayed_leader) = {
	.name = "delayed-leader",
	.cause = "zombie that cannot be reaped yet: a thread of it sleeps in the kernel",
	.rank = 70,
	.stuck = true,
	.has = has,
};
