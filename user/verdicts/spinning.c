// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *t = stuck_task(p);

	if (!t || t->st.state != 'R' || !t->still)
		return false;
	blame(f, t);
	line(&f->evidence,
	     "SIGKILL is pending, and it is running: it waits for nothing and does not return to user space");
	line(&f->helps,
	     "perf top or echo l >/proc/sysrq-trigger show where; whatever ends that loop, else a reboot");
	line(&f->no_use, "kill -9 %d once more", p->pid);
	return true;
}

VERDICT(spinning) = {
	.name = "spinning",
	.cause = "killed, and running in the kernel without an end",
	.rank = 90,
	.stuck = true,
	.has = has,
};
