// SPDX-License-Identifier: GPL-2.0
/*
 * Instances and gates: made, opened, armed again, awaited, freed. Lifetimes and
 * locks: see gate.h.
 */
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "gate.h"

DEFINE_SPINLOCK(undead_lock);

static LIST_HEAD(instances);
static u64 last_gate_id;
static u32 nr_gates; /* without the implicit ones */

/* Returns how many it held; undead_drain() lets them go. */
u64 undead_gate_open(struct undead_gate *gate, enum undead_reason reason)
{
	lockdep_assert_held(&undead_lock);
	if (gate->open)
		return 0;
	WRITE_ONCE(gate->open, true);
	gate->opened_by = reason;
	undead_drain_later(gate);
	wake_up_all(&gate->inst->wq);
	return gate->held;
}

u64 undead_instance_open(struct undead_instance *inst, bool implicit,
			 enum undead_reason reason)
{
	struct undead_gate *gate;
	u64 held = 0;

	lockdep_assert_held(&undead_lock);
	list_for_each_entry(gate, &inst->gates, of_inst)
		if (implicit || gate != &inst->implicit)
			held += undead_gate_open(gate, reason);
	return held;
}

/* On a gate, or on a control file, or (@every) all there are. */
u64 undead_open(struct undead_instance *inst, struct undead_gate *gate,
		bool every)
{
	u64 held;

	if (every)
		return undead_open_every(false, UNDEAD_REASON_REQUEST);
	spin_lock(&undead_lock);
	held = gate ? undead_gate_open(gate, UNDEAD_REASON_REQUEST) :
		      undead_instance_open(inst, true, UNDEAD_REASON_REQUEST);
	spin_unlock(&undead_lock);
	undead_drain();
	return held;
}

/* @stop: hold nobody until undead_resume(). Returns how many were held. */
u64 undead_open_every(bool stop, enum undead_reason reason)
{
	struct undead_instance *inst;
	u64 held = 0;

	spin_lock(&undead_lock);
	undead_stopped |= stop;
	list_for_each_entry(inst, &instances, entry)
		held += undead_instance_open(inst, true, reason);
	spin_unlock(&undead_lock);
	undead_drain();
	return held;
}

void undead_resume(void)
{
	spin_lock(&undead_lock);
	undead_stopped = false;
	spin_unlock(&undead_lock);
}

int undead_rearm(struct undead_gate *gate)
{
	int err = 0;

	spin_lock(&undead_lock);
	if (gate->inst->ended)
		err = -ESHUTDOWN;
	else
		WRITE_ONCE(gate->open, false);
	spin_unlock(&undead_lock);
	return err;
}

/* 0: not yet. */
static int await_over(struct undead_gate *gate, u64 count)
{
	if (READ_ONCE(gate->held) >= count)
		return 1;
	return READ_ONCE(gate->open) ? -ECANCELED : 0;
}

int undead_await(struct undead_gate *gate, u64 count, u64 timeout_ms, u64 *held)
{
	int over = 0;
	long left;

	if (timeout_ms > INT_MAX)
		return -ERANGE;
	left = wait_event_interruptible_timeout(gate->inst->wq,
						(over = await_over(gate, count)),
						msecs_to_jiffies(timeout_ms));
	*held = READ_ONCE(gate->held);
	if (left < 0)
		return -EINTR;
	if (!over)
		return -ETIMEDOUT;
	return over < 0 ? over : 0;
}

__poll_t undead_gate_poll_mask(struct undead_gate *gate)
{
	return (READ_ONCE(gate->open) ? EPOLLIN | EPOLLRDNORM : 0) |
	       (READ_ONCE(gate->held) ? EPOLLPRI : 0);
}

/* Readable as its implicit gate is; EPOLLPRI for any of its gates. */
__poll_t undead_instance_poll_mask(struct undead_instance *inst)
{
	__poll_t mask = undead_gate_poll_mask(&inst->implicit);
	struct undead_gate *gate;

	spin_lock(&undead_lock);
	list_for_each_entry(gate, &inst->gates, of_inst)
		mask |= undead_gate_poll_mask(gate) & EPOLLPRI;
	spin_unlock(&undead_lock);
	return mask;
}

void undead_usage(u32 *gates, u32 *holds)
{
	spin_lock(&undead_lock);
	*gates = nr_gates;
	*holds = undead_nr_holds;
	spin_unlock(&undead_lock);
}

static void gate_init(struct undead_gate *gate, struct undead_instance *inst,
		      u32 points, u32 kind, u64 deadline)
{
	gate->inst = inst;
	gate->points = points;
	gate->kind = kind;
	gate->deadline = deadline;
	INIT_LIST_HEAD(&gate->holds);
	INIT_LIST_HEAD(&gate->enrolled);
}

struct undead_gate *undead_gate_new(struct undead_instance *inst, u32 points,
				    u32 kind, u64 deadline)
{
	struct undead_gate *gate;
	int err = 0;

	gate = kzalloc(sizeof(*gate), GFP_KERNEL_ACCOUNT);
	if (!gate)
		return ERR_PTR(-ENOMEM);
	gate_init(gate, inst, points, kind, deadline);

	spin_lock(&undead_lock);
	if (inst->ended) {
		err = -ESHUTDOWN;
	} else if (nr_gates >= READ_ONCE(undead_max_gates)) {
		err = -ENFILE;
	} else {
		gate->id = ++last_gate_id;
		list_add_tail(&gate->of_inst, &inst->gates);
		nr_gates++;
		kref_get(&inst->ref);
	}
	spin_unlock(&undead_lock);
	if (!err)
		return gate;
	kfree(gate);
	return ERR_PTR(err);
}

void undead_gate_free(struct undead_gate *gate)
{
	spin_lock(&undead_lock);
	WARN_ON_ONCE(gate->held);
	list_del(&gate->of_inst);
	nr_gates--;
	spin_unlock(&undead_lock);
	undead_enrolled_free(gate);
	undead_instance_put(gate->inst);
	kfree(gate);
}

struct undead_instance *undead_instance_new(u64 deadline)
{
	struct undead_instance *inst;

	inst = kzalloc(sizeof(*inst), GFP_KERNEL_ACCOUNT);
	if (!inst)
		return NULL;
	kref_init(&inst->ref);
	inst->owner = get_pid(task_tgid(current));
	inst->files = current->files;
	INIT_LIST_HEAD(&inst->gates);
	init_waitqueue_head(&inst->wq);
	gate_init(&inst->implicit, inst, BIT(UNDEAD_POINT_READ),
		  UNDEAD_KIND_UNINTERRUPTIBLE, deadline);
	list_add(&inst->implicit.of_inst, &inst->gates);
	spin_lock(&undead_lock);
	list_add_tail(&inst->entry, &instances);
	spin_unlock(&undead_lock);
	return inst;
}

static void instance_free(struct kref *ref)
{
	struct undead_instance *inst =
		container_of(ref, struct undead_instance, ref);

	spin_lock(&undead_lock);
	list_del(&inst->entry);
	spin_unlock(&undead_lock);
	put_pid(inst->owner);
	kfree(inst);
}

void undead_instance_put(struct undead_instance *inst)
{
	kref_put(&inst->ref, instance_free);
}
