// SPDX-License-Identifier: GPL-2.0
#include "../verdict.h"

static const struct task *in_exec(const struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead &&
		    (on_stack(&p->tasks[i], "de_thread") ||
		     on_stack(&p->tasks[i], "begin_new_exec")))
			return &p->tasks[i];
	return NULL;
}

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *e = in_exec(p);

	if (!e)
		return false;
	/* It wakes for each thread that ends; who does not end is the cause. */
	for (int i = 0; i < p->nr; i++)
		if (!p->tasks[i].dead && &p->tasks[i] != e &&
		    p->tasks[i].still) {
			blame(f, &p->tasks[i]);
			what_helps(p, f, &p->tasks[i]);
		}
	if (!f->blocker.nr)
		return false;
	line(&f->evidence,
	     "thread %d is inside execve(), in de_thread(): the new program starts when all other threads are gone",
	     e->st.pid);
	line(&f->helps,
	     "kill -9 %d: gives up the exec, the process then dies like any other",
	     p->pid);
	line(&f->no_use, "reading its cmdline, environ or maps: that may hang");
	return true;
}

VERDICT(exec_waits) = {
	.name = "exec-waits",
	.cause = "a thread's execve() waits for the other threads to end",
	.rank = 30,
	.stuck = true,
	.has = has,
};
