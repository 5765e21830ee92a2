// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "../core/out.h"
#include "parent.h"

bool unreaped(const struct patient *p)
{
	return p->tasks[0].dead && p->tasks[0].still && !p->alive;
}

static const char *sigchld(const struct proc_status *st)
{
	if (st->sigign & SIGBIT(SIGCHLD))
		return "ignored";
	if (st->sigblk & SIGBIT(SIGCHLD))
		return (st->sigpnd | st->shdpnd) & SIGBIT(SIGCHLD) ?
			       "blocked, and pending: it was told and does not look" :
			       "blocked";
	return st->sigcgt & SIGBIT(SIGCHLD) ? "caught" :
					      "neither caught nor blocked";
}

static const char *relation(const struct patient *p)
{
	if (is_init(&p->parent.st))
		return "process 1 of its pid name space";
	if (p->adopted)
		return "has adopted it (a child subreaper): the session tells";
	return "its parent, by birth or as a child subreaper: the kernel does not tell which";
}

static void tell_room(const struct patient *p, struct finding *f)
{
	const struct room *r = &p->room;
	char text[256];
	int n = 0;

	if (r->pids_max >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "; pids.max %ld (%ld used)", r->pids_max,
			      r->pids);
	if (r->nproc >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "; RLIMIT_NPROC %ld", r->nproc);
	if (r->threads_max >= 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "; threads-max %ld", r->threads_max);
	if (r->pid_max >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n, "; pid_max %ld",
			 r->pid_max);
	line(&f->parent, "%d zombie%s of its own%s", p->parent_zombies,
	     p->parent_zombies == 1 ? "" : "s", n ? text : "");
}

void tell_parent(const struct patient *p, struct finding *f)
{
	const struct task *t = &p->parent;
	pid_t ppid = p->tasks[0].st.ppid;
	char name[256];

	if (!t->st.pid) {
		line(&f->parent,
		     ppid ? "%d, which /proc does not show us" :
			    "outside of this pid name space: ask there",
		     ppid);
		return;
	}
	line(&f->parent, "%d %s  %c%s%.400s", t->st.pid,
	     out_safe(name, sizeof(name), t->st.name), t->st.state,
	     *t->stack || *t->wchan ? " in " : "",
	     *t->stack ? t->stack : t->wchan);
	line(&f->parent, "%s", relation(p));
	line(&f->parent, "SIGCHLD is %s", sigchld(&t->st));
	tell_room(p, f);
}

static bool has(const struct patient *p, struct finding *f)
{
	if (!unreaped(p))
		return false;
	tell_parent(p, f);
	line(&f->evidence,
	     "it is dead to the last thread, at both looks; only its parent can remove it, by wait()");
	if (p->nr_members)
		line(&f->evidence,
		     "its process group has %d living member%s: kill -- -%d ends them",
		     p->nr_members, p->nr_members == 1 ? "" : "s", p->pid);
	if (p->parent.st.state == 'T' || p->parent.st.state == 't')
		line(&f->helps,
		     "let the parent go on: kill -CONT %d, or end its tracer",
		     p->parent.st.pid);
	else if (p->parent.st.state == 'D')
		line(&f->helps,
		     "look at %d: the parent itself is asleep in the kernel",
		     p->parent.st.pid);
	else if (p->parent.st.state == 'R')
		line(&f->evidence,
		     "the parent is running: it may come to it, look again");
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
