// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (!p->alive || p->tasks[0].dead)
		return false;
	line(&f->evidence,
	     "%d thread%s, the leader in state %c; no SIGKILL pending that does not work",
	     p->nr, p->nr == 1 ? "" : "s", p->tasks[0].st.state);
	return true;
}

VERDICT(healthy) = {
	.name = "healthy",
	.cause = "nothing is wrong with it",
	.rank = 1000,
	.has = has,
};
