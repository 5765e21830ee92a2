// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <sys/syscall.h>

#include "../verdict.h"

/* vfork(), clone() with CLONE_VFORK; the flags of clone3() are in memory. */
static bool by_syscall(const struct task *t)
{
	return t->syscall == SYS_vfork ||
	       (t->syscall == SYS_clone && t->args[0] & CLONE_VFORK);
}

static bool has(const struct patient *p, struct finding *f)
{
	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (t->st.state != 'D' || !t->still ||
		    !(on_stack(t, "kernel_clone") || on_stack(t, "_do_fork") ||
		      on_stack(t, "wait_for_vfork_done") || by_syscall(t)))
			continue;
		blame(f, t);
		line(&f->evidence,
		     "a parent sleeps in vfork() until the child has called execve() or ended");
		if (p->vfork)
			line(&f->helps,
			     "whatever its child %d waits for: look at %d",
			     p->vfork, p->vfork);
		line(&f->helps, "kill -9 %d: this sleep is killable", p->pid);
		return true;
	}
	return false;
}

VERDICT(vfork_parent) = {
	.name = "vfork-parent",
	.cause = "waits in vfork() for its child to exec or to end",
	.rank = 100,
	.stuck = true,
	.has = has,
};
