// SPDX-License-Identifier: GPL-2.0
/*
 * begin_new_exec() beyond de_thread(), when there is but one thread left: the old
 * files and the old address space go, and what does not end there may have
 * exec_update_lock.
 */
#include "../verdict.h"

static bool beyond(const struct task *t)
{
	return !t->dead && t->still && t->st.state == 'D' && !t->exiting &&
	       !on_stack(t, "de_thread") &&
	       (on_stack(t, "begin_new_exec") || on_stack(t, "exec_mmap") ||
		on_stack(t, "setup_new_exec") || on_stack(t, "flush_old_exec"));
}

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *t = NULL;
	bool locked = false;

	for (int i = 0; i < p->nr; i++) {
		locked |= p->tasks[i].locked;
		if (!t && ((p->nr == 1 && beyond(&p->tasks[i])) ||
			   (p->tasks[i].locked && p->tasks[i].still)))
			t = &p->tasks[i];
	}
	if (!t || p->tasks[0].dead)
		return false;
	blame(f, t);
	what_helps(p, f, t);
	line(&f->evidence,
	     "inside execve(), beyond the point of no return: the old program is gone, the new one not there");
	if (locked)
		line(&f->evidence,
		     "a read of its stat, wchan, stack or syscall does not end: exec_update_lock is held");
	line(&f->no_use,
	     "kill -9 %d once more; ps, top, strace, gdb: they may hang on it",
	     p->pid);
	return true;
}

VERDICT(stuck_in_exec) = {
	.name = "stuck-in-exec",
	.cause = "stuck inside execve(): its old address space does not go",
	.rank = 35,
	.stuck = true,
	.has = has,
};
