// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "../core/out.h"
#include "parent.h"

bool unreaped(const struct patient *p)
{
	return p->tasks[0].dead && p->tasks[0].still && !p->alive &&
	       p->parent.st.pid;
}

static const char *sigchld(const struct proc_status *st)
{
	if (st->sigign & SIGBIT(SIGCHLD))
		return "ignored";
	if (st->sigblk & SIGBIT(SIGCHLD))
		return (st->sigpnd | st->shdpnd) & SIGBIT(SIGCHLD) ?
			       "blocked, and pending" :
			       "blocked";
	return st->sigcgt & SIGBIT(SIGCHLD) ? "caught" :
					      "neither caught nor blocked";
}

void tell_parent(const struct patient *p, struct finding *f)
{
	const struct task *t = &p->parent;
	char name[256];

	line(&f->parent, "%d %s  %c%s%.400s", t->st.pid,
	     out_safe(name, sizeof(name), t->st.name), t->st.state,
	     *t->stack || *t->wchan ? " in " : "",
	     *t->stack ? t->stack : t->wchan);
	line(&f->parent, "SIGCHLD is %s there; %d zombie%s of its own",
	     sigchld(&t->st), p->parent_zombies,
	     p->parent_zombies == 1 ? "" : "s");
}

static bool has(const struct patient *p, struct finding *f)
{
	if (!unreaped(p))
		return false;
	tell_parent(p, f);
	line(&f->evidence,
	     "it is dead to the last thread, at both looks; only its parent can remove it, by wait()");
	if (p->parent.st.state == 'T')
		line(&f->helps, "let the parent go on: kill -CONT %d",
		     p->parent.st.pid);
	else if (p->parent.st.state == 'D')
		line(&f->helps,
		     "look at %d: the parent itself is asleep in the kernel",
		     p->parent.st.pid);
	line(&f->helps,
	     "mend the parent, or restart it: its zombies are then adopted and reaped by init");
	line(&f->no_use, "kill -9 %d: it is dead", p->pid);
	return true;
}

VERDICT(parent_does_not_wait) = {
	.name = "parent-does-not-wait",
	.cause = "dead; its parent does not wait for it",
	.rank = 140,
	.stuck = true,
	.has = has,
};
