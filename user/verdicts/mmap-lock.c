// SPDX-License-Identifier: GPL-2.0
/*
 * exit_mm() takes the mmap_lock for reading: behind a thread that sleeps with it
 * the leader is in D and never becomes a zombie. So does who reads cmdline.
 */
#include <string.h>

#include "../verdict.h"

/*
 * The functions of the lock itself are not shown, in_sched_functions(), but for
 * rwsem_down_write_slowpath() of 5.10 and those of PREEMPT_RT.
 */
static bool of_lock(const char *function)
{
	static const char *const names[] = { "rwsem_down_", "rt_mutex_",
					     "__rt_mutex_", "rwbase_",
					     "__rwbase_",   "down_" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(function, names[i], strlen(names[i])))
			return true;
	return false;
}

static const char *caller_of_lock(const struct task *t)
{
	const char *at = *t->stack ? t->stack : t->wchan, *next;

	while (of_lock(at) && (next = strstr(at, " <- ")))
		at = next + 4;
	return at;
}

/* The innermost function but those ends with this name. */
static bool sleeps_in(const struct task *t, const char *name)
{
	const char *at = caller_of_lock(t);
	size_t n = strcspn(at, " ."), len = strlen(name);

	return n >= len && !strncmp(at + n - len, name, len);
}

/* Who waits for it sleeps in the function that has called the lock. */
static bool waits_for_lock(const struct task *t)
{
	static const char *const callers[] = {
		"vm_mmap_pgoff",  "vm_munmap",        "sys_brk",
		"vm_brk_flags",   "sys_mremap",       "do_mprotect_pkey",
		"do_madvise",     "madvise_lock",     "do_user_addr_fault",
		"exc_page_fault", "do_page_fault",    "lock_mm_and_find_vma",
		"mm_populate",    "do_mlock",         "apply_mlockall_flags",
		"dup_mmap",       "access_remote_vm",
	};

	for (size_t i = 0; i < ARRAY_SIZE(callers); i++)
		if (sleeps_in(t, callers[i]))
			return true;
	return false;
}

/* It has its memory yet: exit_mm(), which compilers put into do_exit(). */
static bool waits_in_exit(const struct task *t)
{
	bool told = *t->stack || *t->wchan;

	return !t->dead && t->still && t->st.state == 'D' && t->exiting &&
	       t->st.vm_size_kb >= 0 &&
	       (!told || sleeps_in(t, "do_exit") || sleeps_in(t, "exit_mm"));
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
