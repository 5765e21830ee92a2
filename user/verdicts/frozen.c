// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "../core/out.h"
#include "../verdict.h"

static void thaw(const struct patient *p, struct finding *f)
{
	char folder[600];

	out_safe(folder, sizeof(folder),
		 *p->freeze == 'v' ? p->freeze + 3 : "/sys/fs/cgroup/PATH");
	if (strncmp(p->freeze, "v1", 2))
		line(&f->helps, "thaw its cgroup: echo 0 >%s/cgroup.freeze",
		     folder);
	if (strncmp(p->freeze, "v2", 2))
		line(&f->helps,
		     "thaw its cgroup: echo THAWED >%s/freezer.state", folder);
}

/* v2 lets go who is killed, v1 keeps it in the refrigerator. */
static bool sleeps_elsewhere(const struct patient *p)
{
	const struct task *t = stuck_task(p);

	return t && !in_freezer(t) &&
	       (strncmp(p->freeze, "v1", 2) || *t->stack);
}

static bool has(const struct patient *p, struct finding *f)
{
	if (!*p->freeze || !p->alive || sleeps_elsewhere(p))
		return false;
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead && p->tasks[i].st.state != 'R')
			blame(f, &p->tasks[i]);
	if (*p->freeze == 'v')
		line(&f->evidence, "its cgroup, or one above it, says so");
	else
		line(&f->evidence, "where it sleeps says so");
	thaw(p, f);
	if (strncmp(p->freeze, "v1", 2))
		line(&f->helps, "kill -9 %d ends it where the freezer is of v2",
		     p->pid);
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
