// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	int n = 0;

	for (int i = 0; i < p->nr; i++)
		if (p->tasks[i].st.state == 'D' && p->tasks[i].still) {
			blame(f, &p->tasks[i]);
			if (!n++)
				what_helps(p, f, &p->tasks[i]);
		}
	if (!n)
		return false;
	line(&f->evidence,
	     "asleep at both looks in a way that ordinary signals do not end; whether SIGKILL would is seen when one is pending");
	return true;
}

VERDICT(asleep_in_kernel) = {
	.name = "asleep-in-kernel",
	.cause = "a thread sleeps in the kernel, uninterruptibly",
	.rank = 150,
	.stuck = true,
	.has = has,
};
