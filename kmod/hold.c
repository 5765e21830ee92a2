// SPDX-License-Identifier: GPL-2.0
/*
 * Holds: threads (and requests, at point aio) that are held at a gate, and how
 * they go on. Lifetimes and locks: see gate.h.
 *
 * Mass release works in batches, so that undead_lock is never held for long. A
 * gate that opens hands all its holds to one list, and undead_drain() lets go
 * what is on it; a hold on that list is still found by its id and its thread.
 */
#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/deadline.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "gate.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define BATCH      64
#define HOLD_BITS  12
#define STILL_HELD UNDEAD_REASONS

/*
 * A hold; all but @wq and what never changes is covered by undead_lock. At point
 * aio it is a request that is held and not a thread: the record is allocated,
 * counts its pids, and ends on the list of what is to be completed.
 */
struct undead_held {
	struct hlist_node by_id;
	struct hlist_node by_pid;
	struct list_head of_gate; /* gate->holds, draining, or released */
	struct list_head all;
	struct undead_gate *gate;
	struct pid *pid; /* a held thread pins both */
	struct pid *tgid;
	u64 id;
	u64 since_ns;
	enum undead_point point;
	enum undead_where where;
	enum undead_reason reason; /* STILL_HELD, or why it goes on */
	union {
		wait_queue_head_t wq;
		struct kiocb *iocb; /* point aio: no thread waits */
	};
};

bool undead_stopped;
u32 undead_nr_holds;

static DEFINE_HASHTABLE(holds_by_id, HOLD_BITS);
static DEFINE_HASHTABLE(holds_by_pid, HOLD_BITS);
static LIST_HEAD(all_holds); /* by rising id */
static LIST_HEAD(draining);  /* holds of gates that opened */
static LIST_HEAD(released);  /* requests to be completed */
static LIST_HEAD(busy_gates);
static struct undead_tally total;
static u64 last_hold_id;

/*
 * Nobody asks for the points after ioctl: there only enrolled threads are held,
 * never the owner, and never a kernel thread, nor a worker that looks like a
 * thread of the process (a request that it makes at point aio is of the
 * process). read() and UNDEAD_IOC_HOLD are called by who is held.
 */
static bool is_stranger(struct undead_gate *gate, enum undead_point point)
{
	if (point <= UNDEAD_POINT_IOCTL)
		return false;
	if (current->flags & PF_KTHREAD)
		return true;
	if (current->flags & (PF_IO_WORKER | PF_USER_WORKER) &&
	    point != UNDEAD_POINT_AIO)
		return true;
	return task_tgid(current) == gate->inst->owner ||
	       !undead_enrolled(gate);
}

static bool passes(struct undead_gate *gate, enum undead_point point)
{
	return undead_stopped || gate->open || !(gate->points & BIT(point)) ||
	       is_stranger(gate, point);
}

static void link_hold(struct undead_held *held)
{
	struct undead_gate *gate = held->gate;

	lockdep_assert_held(&undead_lock);
	undead_bug();
	held->id = ++last_hold_id;
	held->since_ns = ktime_get_ns();
	hash_add(holds_by_id, &held->by_id, held->id);
	hash_add(holds_by_pid, &held->by_pid, (unsigned long)held->pid);
	list_add_tail(&held->all, &all_holds);
	list_add_tail(&held->of_gate, &gate->holds);
	gate->tally.admitted++;
	total.admitted++;
	undead_nr_holds++;
	if (!gate->held) {
		list_add_tail(&gate->busy, &busy_gates);
		gate->opens_at = gate->deadline == UNDEAD_NEVER ?
					 UNDEAD_NEVER :
					 held->since_ns + gate->deadline;
	}
	WRITE_ONCE(gate->held, gate->held + 1);
	trace_undead_hold(gate->id, held->id, held->pid, held->point,
			  gate->kind);
}

/* The record may be gone as soon as undead_lock is dropped. */
static void let_go(struct undead_held *held, enum undead_reason reason)
{
	struct undead_gate *gate = held->gate;

	lockdep_assert_held(&undead_lock);
	hash_del(&held->by_id);
	hash_del(&held->by_pid);
	list_del(&held->all);
	list_del(&held->of_gate);
	gate->tally.released[reason]++;
	total.released[reason]++;
	undead_nr_holds--;
	WRITE_ONCE(gate->held, gate->held - 1);
	if (!gate->held)
		list_del(&gate->busy);
	trace_undead_release(gate->id, held->id, held->pid, held->point, reason,
			     held->since_ns);
	if (held->point == UNDEAD_POINT_AIO) {
		list_add_tail(&held->of_gate, &released);
		undead_lifeline_complete();
		return;
	}
	WRITE_ONCE(held->reason, reason);
	wake_up(&held->wq);
}

/* It would spin with nobody else on its CPU. */
static bool is_real_time(struct task_struct *task)
{
	return rt_task(task) || dl_task(task);
}

/*
 * Taken under one lock: whether it passes, and what comes of it. The others are
 * bugs for 'undead race', which must find them: see Kbuild.
 */
#ifdef UNDEAD_LOST_WAKE_UP
#include <linux/delay.h>

static bool lock_and_look(struct undead_held *held) __acquires(&undead_lock)
{
	bool passing = passes(held->gate, held->point);

	udelay(5);
	spin_lock(&undead_lock);
	return passing;
}
#else
static bool lock_and_look(struct undead_held *held) __acquires(&undead_lock)
{
	spin_lock(&undead_lock);
	return passes(held->gate, held->point);
}
#endif

#ifdef UNDEAD_UNLOCKED_COUNTER
#include <linux/delay.h>

static void count_passed(struct undead_gate *gate)
{
	u64 passed;

	spin_unlock(&undead_lock);
	passed = gate->tally.passed;
	udelay(5);
	gate->tally.passed = passed + 1;
	spin_lock(&undead_lock);
}
#else
static void count_passed(struct undead_gate *gate)
{
	gate->tally.passed++;
}
#endif

/* Returns 1 when @held is held from now on, 0 when it passes. */
static int admit(struct undead_held *held, bool nonblock)
{
	struct undead_gate *gate = held->gate;
	int err = 0;

	if (lock_and_look(held)) {
		count_passed(gate);
		total.passed++;
		goto out;
	}
	if (nonblock)
		err = -EAGAIN;
	else if (gate->kind == UNDEAD_KIND_SPIN && is_real_time(current))
		err = -EPERM;
	else if (undead_nr_holds >= READ_ONCE(undead_max_holds))
		err = -EUSERS;
	if (err) {
		gate->tally.refused++;
		total.refused++;
		goto out;
	}
	link_hold(held);
	undead_lifeline_need(gate->opens_at);
	wake_up_all(&gate->inst->wq);
	err = 1;
out:
	spin_unlock(&undead_lock);
	return err;
}

static bool goes_on(struct undead_held *held)
{
	return READ_ONCE(held->reason) != STILL_HELD;
}

/*
 * One function per kind, noinline: its name shows in wchan and in the stack. A
 * signal that ends the wait is seen by what is still held afterwards.
 */
static noinline void undead_hold_uninterruptible(struct undead_held *held)
{
	wait_event(held->wq, goes_on(held));
}

static noinline void undead_hold_killable(struct undead_held *held)
{
	if (wait_event_killable(held->wq, goes_on(held)))
		return;
}

static noinline void undead_hold_interruptible(struct undead_held *held)
{
	if (wait_event_interruptible(held->wq, goes_on(held)))
		return;
}

static noinline void undead_hold_idle(struct undead_held *held)
{
	wait_event_idle(held->wq, goes_on(held));
}

static noinline void undead_hold_iowait(struct undead_held *held)
{
	io_wait_event(held->wq, goes_on(held));
}

/* Without a quiescent state of RCU tasks, others would wait for us. */
static noinline void undead_hold_spin(struct undead_held *held)
{
	while (!goes_on(held)) {
		cond_resched_tasks_rcu_qs();
		cpu_relax();
	}
}

static void (*const hold_as[UNDEAD_KINDS])(struct undead_held *held) = {
	[UNDEAD_KIND_UNINTERRUPTIBLE] = undead_hold_uninterruptible,
	[UNDEAD_KIND_KILLABLE] = undead_hold_killable,
	[UNDEAD_KIND_INTERRUPTIBLE] = undead_hold_interruptible,
	[UNDEAD_KIND_IDLE] = undead_hold_idle,
	[UNDEAD_KIND_IOWAIT] = undead_hold_iowait,
	[UNDEAD_KIND_SPIN] = undead_hold_spin,
};

static void free_async(struct undead_held *held)
{
	put_pid(held->tgid);
	put_pid(held->pid);
	kfree(held);
}

/* 0, or an error when it is refused or a signal ended it. */
int undead_hold(struct undead_gate *gate, enum undead_point point,
		enum undead_where where, bool nonblock)
{
	struct undead_held held = {
		.gate = gate,
		.pid = task_pid(current),
		.tgid = task_tgid(current),
		.point = point,
		.where = where,
		.reason = STILL_HELD,
	};
	int err;

	init_waitqueue_head(&held.wq);
	err = admit(&held, nonblock);
	if (err <= 0)
		return err;
	hold_as[gate->kind](&held);
	/* Whoever let us go is done with the record when this lock is ours. */
	spin_lock(&undead_lock);
	if (held.reason == STILL_HELD)
		let_go(&held, UNDEAD_REASON_SIGNAL);
	spin_unlock(&undead_lock);
	return held.reason == UNDEAD_REASON_SIGNAL ? -EINTR : 0;
}

/* 0 when the request passes, -EIOCBQUEUED when it is held. */
int undead_hold_async(struct undead_gate *gate, struct kiocb *iocb)
{
	struct undead_held *held;
	int err;

	held = kzalloc(sizeof(*held), GFP_KERNEL_ACCOUNT);
	if (!held)
		return -ENOMEM;
	held->gate = gate;
	held->pid = get_pid(task_pid(current));
	held->tgid = get_pid(task_tgid(current));
	held->point = UNDEAD_POINT_AIO;
	held->iocb = iocb;
	/* Once admitted it may be released and gone. */
	err = admit(held, false);
	if (err == 1)
		return -EIOCBQUEUED;
	free_async(held);
	return err;
}

/* The request holds its file and so the gate: neither is touched afterwards. */
void undead_complete_released(void)
{
	struct undead_held *held;

	for (;;) {
		spin_lock(&undead_lock);
		held = list_first_entry_or_null(&released, struct undead_held,
						of_gate);
		if (held)
			list_del(&held->of_gate);
		spin_unlock(&undead_lock);
		if (!held)
			return;
		undead_complete(held->iocb, 0);
		free_async(held);
		cond_resched();
	}
}

static struct undead_held *find_by_id(u64 id)
{
	struct undead_held *held;

	hash_for_each_possible(holds_by_id, held, by_id, id)
		if (held->id == id)
			return held;
	return NULL;
}

static struct undead_held *find_by_tid(u64 tid)
{
	struct undead_held *held;
	struct pid *pid;

	if (tid > INT_MAX)
		return NULL;
	rcu_read_lock(); /* compared only: a held thread pins its own */
	pid = find_vpid(tid);
	rcu_read_unlock();
	hash_for_each_possible(holds_by_pid, held, by_pid, (unsigned long)pid)
		if (held->pid == pid)
			return held;
	return NULL;
}

static int release_one(struct undead_gate *gate, u32 what, u64 id)
{
	struct undead_held *held;
	int err = -ESRCH;

	spin_lock(&undead_lock);
	held = what == UNDEAD_RELEASE_HOLD ? find_by_id(id) : find_by_tid(id);
	if (held && (!gate || held->gate == gate)) {
		let_go(held, UNDEAD_REASON_REQUEST);
		err = 0;
	}
	spin_unlock(&undead_lock);
	return err;
}

static struct undead_held *oldest(struct undead_gate *gate)
{
	if (gate)
		return list_first_entry_or_null(&gate->holds,
						struct undead_held, of_gate);
	return list_first_entry_or_null(&all_holds, struct undead_held, all);
}

/* Stops at what was held after it began, so that it ends. */
static u64 release_oldest(struct undead_gate *gate, u64 count)
{
	struct undead_held *held;
	u64 newest, done = 0;
	bool more = true;
	int i;

	spin_lock(&undead_lock);
	newest = last_hold_id;
	while (more) {
		for (i = 0; i < BATCH && more; i++) {
			held = done < count ? oldest(gate) : NULL;
			more = held && held->id <= newest;
			if (more) {
				let_go(held, UNDEAD_REASON_REQUEST);
				done++;
			}
		}
		spin_unlock(&undead_lock);
		cond_resched();
		spin_lock(&undead_lock);
	}
	spin_unlock(&undead_lock);
	return done;
}

/* @gate NULL: in the whole system. */
int undead_release(struct undead_gate *gate, u32 what, u64 id, u64 *released)
{
	int err;

	switch (what) {
	case UNDEAD_RELEASE_HOLD:
	case UNDEAD_RELEASE_TID:
		err = release_one(gate, what, id);
		*released = !err;
		return err;
	case UNDEAD_RELEASE_OLDEST:
		*released = release_oldest(gate, id);
		return 0;
	case UNDEAD_RELEASE_ALL:
		if (id)
			return -EINVAL;
		*released = release_oldest(gate, U64_MAX);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Called with undead_lock held: undead_drain() lets go what @gate holds. */
void undead_drain_later(struct undead_gate *gate)
{
	lockdep_assert_held(&undead_lock);
	list_splice_tail_init(&gate->holds, &draining);
}

void undead_drain(void)
{
	struct undead_held *held;
	int i;

	do {
		spin_lock(&undead_lock);
		for (i = 0; i < BATCH; i++) {
			held = list_first_entry_or_null(&draining,
							struct undead_held,
							of_gate);
			if (!held)
				break;
			let_go(held, held->gate->opened_by);
		}
		spin_unlock(&undead_lock);
		cond_resched();
	} while (i == BATCH);
}

void undead_visit_busy(undead_gate_fn *fn, void *data)
{
	struct undead_gate *gate;

	lockdep_assert_held(&undead_lock);
	list_for_each_entry(gate, &busy_gates, busy)
		fn(gate, data);
}

static struct undead_hold describe(const struct undead_held *held)
{
	struct undead_hold hold = {
		.id = held->id,
		.gate = held->gate->id,
		.since_ns = held->since_ns,
		.tid = pid_vnr(held->pid),
		.tgid = pid_vnr(held->tgid),
		.point = held->point,
		.kind = held->gate->kind,
		.where = held->where,
	};

	return hold;
}

/* @gate NULL: in the whole system. Returns how many are held in all. */
u64 undead_list(struct undead_gate *gate, u64 after, struct undead_hold *buf,
		u32 capacity, u32 *count)
{
	struct undead_held *held;
	u32 n = 0;
	u64 nr;

	spin_lock(&undead_lock);
	list_for_each_entry(held, &all_holds, all) {
		if (n == capacity)
			break;
		if (held->id > after && (!gate || held->gate == gate))
			buf[n++] = describe(held);
	}
	nr = gate ? gate->held : undead_nr_holds;
	spin_unlock(&undead_lock);
	*count = n;
	return nr;
}

/* @gate NULL: in the whole system. */
void undead_count(struct undead_gate *gate, struct undead_counters *counters)
{
	struct undead_tally *tally = gate ? &gate->tally : &total;

	spin_lock(&undead_lock);
	counters->admitted = tally->admitted;
	counters->passed = tally->passed;
	counters->refused = tally->refused;
	counters->held = gate ? gate->held : undead_nr_holds;
	memcpy(counters->released, tally->released, sizeof(tally->released));
	spin_unlock(&undead_lock);
}
