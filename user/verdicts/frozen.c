// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (!p->frozen)
		return false;
	for (int i = 0; i < p->nr; i++)
		if (on_stack(&p->tasks[i], "do_freezer_trap") ||
		    on_stack(&p->tasks[i], "__refrigerator"))
			blame(f, &p->tasks[i]);
	line(&f->helps,
	     "thaw its cgroup: echo 0 >/sys/fs/cgroup/PATH/cgroup.freeze (v2), echo THAWED >.../freezer.state (v1)");
	line(&f->no_use,
	     "kill -9 while a v1 freezer holds it: taken when it thaws");
	return true;
}

VERDICT(frozen) = {
	.name = "frozen",
	.cause = "its cgroup is frozen",
	.rank = 50,
	.stuck = true,
	.has = has,
};
