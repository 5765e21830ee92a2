// SPDX-License-Identifier: GPL-2.0
#include "../core/out.h"
#include "../verdict.h"

static void tell_rest(const struct patient *p, struct finding *f)
{
	char name[256];

	for (size_t i = 0; i < ARRAY_SIZE(p->rest) && p->rest[i].pid; i++) {
		const struct proc_status *st = &p->rest[i];

		line(&f->blocker, "%s: %d %s  %c, its parent is %d",
		     st->ppid == p->pid ? "its child" :
					  "perhaps of this name space",
		     st->pid, out_safe(name, sizeof(name), st->name), st->state,
		     st->ppid);
		line(&f->helps, "look at %d", st->pid);
	}
	if (!p->rest[0].pid)
		line(&f->helps,
		     "ask about the processes that are left there: lsns -t pid");
}

static bool has(const struct patient *p, struct finding *f)
{
	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (t->dead || !on_stack(t, "zap_pid_ns_processes"))
			continue;
		blame(f, t);
		line(&f->evidence,
		     "it was the init of a pid name space and waits in zap_pid_ns_processes() until every process of that is gone and reaped");
		tell_rest(p, f);
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
