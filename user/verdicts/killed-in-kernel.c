// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *t = stuck_task(p);

	if (!t || t->st.state != 'D' || !t->still)
		return false;
	blame(f, t);
	what_helps(p, f, t);
	line(&f->evidence,
	     "SIGKILL is pending and the sleep is uninterruptible");
	line(&f->no_use, "kill -9 %d once more", p->pid);
	return true;
}

VERDICT(killed_in_kernel) = {
	.name = "killed-in-kernel",
	.cause = "killed, and asleep in the kernel where no signal wakes it",
	.rank = 80,
	.stuck = true,
	.has = has,
};
