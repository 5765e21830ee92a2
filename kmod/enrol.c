// SPDX-License-Identifier: GPL-2.0
/*
 * Who may be held at a point that nobody asks for: enrolled threads and thread
 * groups, gate by gate.
 *
 * An enrolment lasts as long as its gate, and counts a struct pid, which is
 * therefore not used again for another thread. A thread that takes over the
 * leader's pid in execve() is enrolled as that from then on. All of it is
 * covered by undead_lock; undead_gate_free() hands over a gate that nobody else
 * can see any more.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "gate.h"

#define ENROLLED_BITS 10

struct enrolment {
	struct hlist_node by_pid;
	struct list_head of_gate;
	struct undead_gate *gate;
	struct pid *pid;
	bool group;
};

static DEFINE_HASHTABLE(enrolled, ENROLLED_BITS);

static struct enrolment *find(struct undead_gate *gate, struct pid *pid,
			      bool group)
{
	struct enrolment *e;

	lockdep_assert_held(&undead_lock);
	hash_for_each_possible(enrolled, e, by_pid, (unsigned long)pid)
		if (e->gate == gate && e->pid == pid && e->group == group)
			return e;
	return NULL;
}

bool undead_enrolled(struct undead_gate *gate)
{
	return find(gate, task_pid(current), false) ||
	       find(gate, task_tgid(current), true);
}

/* Returns a counted pid. */
static struct pid *find_pid(pid_t tid, bool group)
{
	struct task_struct *task;
	struct pid *pid = NULL;

	if (!tid)
		return get_pid(group ? task_tgid(current) : task_pid(current));
	rcu_read_lock();
	task = pid_task(find_vpid(tid), PIDTYPE_PID);
	if (task)
		pid = get_pid(group ? task_tgid(task) : task_pid(task));
	rcu_read_unlock();
	return pid;
}

/* Itself, or anybody for the owner. */
static bool may_name(struct undead_gate *gate, struct pid *pid, bool group)
{
	return task_tgid(current) == gate->inst->owner ||
	       pid == (group ? task_tgid(current) : task_pid(current));
}

int undead_enrol(struct undead_gate *gate, pid_t tid, bool group)
{
	struct enrolment *e;
	int err = 0;

	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	e->gate = gate;
	e->group = group;
	e->pid = find_pid(tid, group);
	if (!e->pid)
		err = -ESRCH;
	else if (!may_name(gate, e->pid, group))
		err = -EPERM;
	if (err)
		goto free;

	spin_lock(&undead_lock);
	if (find(gate, e->pid, group))
		goto unlock;
	hash_add(enrolled, &e->by_pid, (unsigned long)e->pid);
	list_add(&e->of_gate, &gate->enrolled);
	spin_unlock(&undead_lock);
	return 0;

unlock:
	spin_unlock(&undead_lock);
free:
	put_pid(e->pid);
	kfree(e);
	return err;
}

void undead_enrolled_free(struct undead_gate *gate)
{
	struct enrolment *e, *next;

	list_for_each_entry_safe(e, next, &gate->enrolled, of_gate) {
		spin_lock(&undead_lock);
		hash_del(&e->by_pid);
		spin_unlock(&undead_lock);
		put_pid(e->pid);
		kfree(e);
	}
}
