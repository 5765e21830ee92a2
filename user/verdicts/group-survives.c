// SPDX-License-Identifier: GPL-2.0
/* Only one process was killed, and its children live on in its group. */
#include "../core/out.h"
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	char name[256];

	if (p->nr || !p->nr_members)
		return false;
	line(&f->evidence,
	     "there is no process %d any more; its process group has %d living member%s",
	     p->pid, p->nr_members, p->nr_members == 1 ? "" : "s");
	for (int i = 0; i < p->nr_members; i++)
		if (i < (int)ARRAY_SIZE(p->members))
			line(&f->blocker, "%d %s  %c, its parent is %d",
			     p->members[i].pid,
			     out_safe(name, sizeof(name), p->members[i].name),
			     p->members[i].state, p->members[i].ppid);
	line(&f->helps, "end the whole group: kill -- -%d", p->pid);
	line(&f->helps, "kill -9 -- -%d", p->pid);
	line(&f->no_use, "kill -9 %d: the number alone means nobody", p->pid);
	return true;
}

VERDICT(group_survives) = {
	.name = "group-survives",
	.cause = "gone, but its process group lives on",
	.rank = 5,
	.stuck = true,
	.has = has,
};
