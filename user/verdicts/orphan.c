// SPDX-License-Identifier: GPL-2.0
/* The other end of group-survives: who has outlived the kill. */
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	if (!p->orphan || p->tasks[0].dead)
		return false;
	line(&f->evidence,
	     "the leader of its process group, %d, is gone, and so is who made it: it was adopted by %d",
	     p->tasks[0].st.pgrp, p->parent.st.pid);
	line(&f->helps, "kill %d ends it, kill -- -%d all of that group",
	     p->pid, p->tasks[0].st.pgrp);
	line(&f->no_use, "a kill of the process that started it: it is gone");
	return true;
}

VERDICT(orphan) = {
	.name = "orphan",
	.cause = "nothing is wrong with it: only the leader of its process group was killed",
	.rank = 170,
	.has = has,
};
