// SPDX-License-Identifier: GPL-2.0
/* PF_EXITING is set before anything in do_exit() can sleep. */
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	int n = 0;

	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (t->dead || !t->exiting || !t->still || t->st.state == 'R')
			continue;
		blame(f, t);
		if (!n++)
			what_helps(p, f, t);
	}
	if (!n)
		return false;
	if (p->tasks[0].dead)
		line(&f->evidence,
		     "the leader is a delayed one: Z, but %d of %d threads are not gone, so its parent has not been told and cannot reap it",
		     p->alive, p->nr);
	line(&f->evidence,
	     "already dying (PF_EXITING): signals have no effect on it");
	line(&f->evidence,
	     "which file or mapping it is about can no longer be told: it has let go of them");
	line(&f->no_use,
	     "kill -9 %d, a restart of its parent, an init that reaps", p->pid);
	return true;
}

VERDICT(stuck_in_exit) = {
	.name = "stuck-in-exit",
	.cause = "stuck inside do_exit(): it is dying and waits for something",
	.rank = 60,
	.stuck = true,
	.has = has,
};
