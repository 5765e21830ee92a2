// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static bool has(const struct patient *p, struct finding *f)
{
	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (t->dead || !on_stack(t, "zap_pid_ns_processes"))
			continue;
		blame(f, t);
		line(&f->evidence,
		     "it was the init of a pid name space and waits in zap_pid_ns_processes() until every process of that is gone and reaped");
		line(&f->helps,
		     "ask about the processes that are left there: lsns -t pid");
		line(&f->helps,
		     "a process that came by setns(): its parent outside must wait for it");
		line(&f->no_use, "kill -9 %d: it is dying already", p->pid);
		return true;
	}
	return false;
}

VERDICT(pidns_teardown) = {
	.name = "pidns-teardown",
	.cause = "the init of a pid name space waits for the rest of it",
	.rank = 40,
	.stuck = true,
	.has = has,
};
