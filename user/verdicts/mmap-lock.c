// SPDX-License-Identifier: GPL-2.0
/*
 * exit_mm() takes the mmap_lock for reading: behind a thread that sleeps with it
 * the leader is in D and never becomes a zombie. So does who reads cmdline.
 */
#include "../verdict.h"

static bool waits_for_lock(const struct task *t)
{
	return on_stack(t, "rwsem_down_read_slowpath") ||
	       on_stack(t, "rwsem_down_write_slowpath") ||
	       on_stack(t, "down_read") || on_stack(t, "down_write") ||
	       on_stack(t, "down_read_killable") ||
	       on_stack(t, "down_write_killable") ||
	       on_stack(t, "__down_read") || on_stack(t, "__down_write");
}

/* Its wchan, without the stack, is who has called the lock. */
static bool waits_in_exit(const struct task *t)
{
	return !t->dead && t->still && t->st.state == 'D' &&
	       (on_stack(t, "exit_mm") ||
		(!*t->stack && on_stack(t, "do_exit"))) &&
	       (waits_for_lock(t) || !*t->stack);
}

static const struct task *holder(const struct patient *p)
{
	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];

		if (!t->dead && t->still && t->st.state == 'D' &&
		    t->st.vm_size_kb >= 0 && !waits_for_lock(t) &&
		    !waits_in_exit(t))
			return t;
	}
	return NULL;
}

static int waiters(const struct patient *p)
{
	int n = 0;

	for (int i = 0; i < p->nr; i++)
		n += !p->tasks[i].dead && (waits_for_lock(&p->tasks[i]) ||
					   waits_in_exit(&p->tasks[i]));
	return n;
}

static bool has(const struct patient *p, struct finding *f)
{
	const struct task *h = holder(p), *l = &p->tasks[0];

	if (!h || l->dead || !(p->mm_locked || waits_in_exit(l)))
		return false;
	blame(f, h);
	what_helps(p, f, h);
	if (waits_in_exit(l))
		line(&f->evidence,
		     "the leader %d is dying and waits in exit_mm() for the mmap_lock: it is D, and no zombie yet",
		     l->st.pid);
	if (p->mm_locked)
		line(&f->evidence,
		     "reading its cmdline does not end: the mmap_lock is held, or somebody waits to write it");
	line(&f->evidence, "%d thread%s of it wait%s for a lock of that kind",
	     waiters(p), waiters(p) == 1 ? "" : "s",
	     waiters(p) == 1 ? "s" : "");
	line(&f->no_use,
	     "kill -9 %d once more; ps, top, pgrep -f, lsof: they read its cmdline or maps, and hang",
	     p->pid);
	return true;
}

VERDICT(mmap_lock) = {
	.name = "mmap-lock",
	.cause = "a thread sleeps in the kernel with the lock of its address space (mmap_lock)",
	.rank = 55,
	.stuck = true,
	.has = has,
};
