// SPDX-License-Identifier: GPL-2.0
#include "../core/out.h"
#include "../verdict.h"

static bool held(const struct task *t, const struct patient *p)
{
	if (!t->st.tracer || !t->still)
		return false;
	/* A tracer that is the parent waits as any parent. */
	return t->st.state == 't' ||
	       (t->dead && (t->st.tracer != t->st.ppid || t->st.pid != p->pid));
}

static bool has(const struct patient *p, struct finding *f)
{
	char name[256];
	int n = 0, stopped = 0;

	for (int i = 0; i < p->nr; i++)
		if (held(&p->tasks[i], p) &&
		    (i || !p->tasks[0].dead || !p->alive)) {
			blame(f, &p->tasks[i]);
			n++;
			stopped += !p->tasks[i].dead;
		}
	if (!n)
		return false;
	line(&f->evidence, "TracerPid is %d (%s)", p->tracer.st.pid,
	     out_safe(name, sizeof(name), p->tracer.st.name));
	if (stopped)
		line(&f->evidence,
		     "it is stopped (t) and goes on when its tracer says so");
	else if (p->alive)
		line(&f->evidence,
		     "a thread of it is dead, and stays until its tracer has waited for it; an exec waits for that, too");
	else
		line(&f->evidence,
		     "it is dead; its tracer has to wait for it before its parent can");
	line(&f->helps, "let the tracer go on or detach; or end it: kill %d",
	     p->tracer.st.pid);
	line(&f->no_use, "waiting in the parent: the tracer comes first");
	return true;
}

VERDICT(tracer_holds) = {
	.name = "tracer-holds",
	.cause = "a tracer holds it",
	.rank = 110,
	.stuck = true,
	.has = has,
};
