// SPDX-License-Identifier: GPL-2.0
#include "../core/out.h"
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	bool dumping = false;
	char name[256];

	for (int i = 0; i < p->nr; i++)
		dumping |= p->tasks[i].st.dumping;
	if (!dumping)
		return false;
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead && p->tasks[i].st.state != 'I' &&
		    !on_stack(&p->tasks[i], "coredump_task_exit"))
			blame(f, &p->tasks[i]);
	line(&f->evidence, "CoreDumping in its status is 1");
	line(&f->helps,
	     "wait: it ends when the dump is written, or the helper of core_pattern has read it");
	if (p->helper.pid) {
		line(&f->evidence, "the helper of core_pattern is %d %s  %c",
		     p->helper.pid,
		     out_safe(name, sizeof(name), p->helper.name),
		     p->helper.state);
		line(&f->helps, "look at %d; kill %d: the rest is not dumped",
		     p->helper.pid, p->helper.pid);
	}
	line(&f->helps, "kill -9: ends the dump, unless a thread is in D");
	line(&f->no_use, "any other signal: none is taken during a dump");
	return true;
}

VERDICT(core_dump) = {
	.name = "core-dump",
	.cause = "it looks dead but is dumping core",
	.rank = 20,
	.stuck = true,
	.has = has,
};
