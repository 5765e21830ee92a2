// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody stays held: the owner's end, deadlines, reboot and suspend.
 *
 * The owner (the thread group that opened the control file) has ended when its
 * table of files lets go of the control file, which flush() sees at once. Two
 * cases escape it: an owner that is itself held never gets to exit_files(), and
 * a task that shares the table (CLONE_FILES) keeps it. So, while any thread is
 * held, one delayed work looks at the owners every POLL_MS, and opens what is
 * past its deadline in the same round. release() of the control file is the
 * backstop. An owner thread that unshares its table and outlives the table is
 * taken for ended: gates open too early rather than too late.
 *
 * next_run is covered by undead_lock.
 */
#define pr_fmt(fmt) "undead: " fmt

#include <linux/fdtable.h>
#include <linux/ktime.h>
#include <linux/reboot.h>
#include <linux/sched/signal.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "gate.h"

#define POLL_MS 200

static struct workqueue_struct *lifeline;
static u64 next_run = UNDEAD_NEVER; /* CLOCK_MONOTONIC, ns */

static void run(struct work_struct *work);
static DECLARE_DELAYED_WORK(work, run);

static void complete_work_fn(struct work_struct *unused)
{
	undead_complete_released();
}

static DECLARE_WORK(complete_work, complete_work_fn);

/* Called with undead_lock held; requests are completed without it. */
void undead_lifeline_complete(void)
{
	queue_work(lifeline, &complete_work);
}

static void arm(u64 now, u64 at)
{
	u64 wait = at > now ? nsecs_to_jiffies64(at - now) + 1 : 0;

	lockdep_assert_held(&undead_lock);
	next_run = at;
	mod_delayed_work(lifeline, &work, min_t(u64, wait, MAX_JIFFY_OFFSET));
}

/* Called with undead_lock held when a thread is held at a gate opening @at. */
void undead_lifeline_need(u64 at)
{
	u64 now = ktime_get_ns();

	at = min(at, now + POLL_MS * NSEC_PER_MSEC);
	if (at < next_run)
		arm(now, at);
}

static bool owner_ended(struct undead_instance *inst)
{
	struct task_struct *leader;
	bool ended;

	rcu_read_lock();
	leader = pid_task(inst->owner, PIDTYPE_TGID);
	ended = !leader || (leader->signal->flags & SIGNAL_GROUP_EXIT) ||
		!atomic_read(&leader->signal->live);
	rcu_read_unlock();
	return ended;
}

static void end_instance(struct undead_instance *inst)
{
	inst->ended = true;
	undead_instance_open(inst, false, UNDEAD_REASON_OWNER);
}

void undead_owner_end(struct undead_instance *inst)
{
	spin_lock(&undead_lock);
	end_instance(inst);
	spin_unlock(&undead_lock);
	undead_drain();
}

struct round {
	u64 now;
	u64 next;
};

static void look_at(struct undead_gate *gate, void *data)
{
	struct undead_instance *inst = gate->inst;
	struct round *round = data;

	if (gate->open)
		return;
	if (gate != &inst->implicit && owner_ended(inst))
		end_instance(inst);
	else if (gate->opens_at <= round->now)
		undead_gate_open(gate, UNDEAD_REASON_DEADLINE);
	else
		round->next = min3(round->next, gate->opens_at,
				   round->now + POLL_MS * NSEC_PER_MSEC);
}

static void run(struct work_struct *unused)
{
	struct round round = { .next = UNDEAD_NEVER };

	spin_lock(&undead_lock);
	round.now = ktime_get_ns();
	undead_visit_busy(look_at, &round);
	next_run = UNDEAD_NEVER;
	if (round.next != UNDEAD_NEVER)
		arm(round.now, round.next);
	spin_unlock(&undead_lock);
	undead_drain();
}

static int is_same_file(const void *wanted, struct file *file, unsigned int fd)
{
	return file == wanted;
}

static bool has_file(struct files_struct *files, struct file *file)
{
	return iterate_fd(files, 0, is_same_file, file);
}

/*
 * @id is compared first: only the table that the caller is closing a file of is
 * followed. Its count is 0 in exit_files() alone. A close() that leaves another
 * fd of the same file is not the end.
 */
int undead_owner_flush(struct file *file, fl_owner_t id)
{
	struct undead_instance *inst = file->private_data;
	struct files_struct *files = id;

	if (id != inst->files)
		return 0;
	if (!atomic_read(&files->count) || !has_file(files, file))
		undead_owner_end(inst);
	return 0;
}

/* What suspend opened stays open; gates may be armed again afterwards. */
static int on_suspend(struct notifier_block *nb, unsigned long event,
		      void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		undead_open_every(true, UNDEAD_REASON_SHUTDOWN);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		undead_resume();
		break;
	}
	return NOTIFY_DONE;
}

/* At a level that a quiet console shows. */
static int on_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	u64 held = undead_open_every(true, UNDEAD_REASON_SHUTDOWN);

	if (held)
		pr_err("reboot: %llu thread%s released\n", held,
		       held == 1 ? "" : "s");
	return NOTIFY_DONE;
}

/* For the tests that must miss them: see Kbuild. */
#ifdef UNDEAD_NO_REBOOT_NOTIFIER
#define register_reboot_notifier(block) \
	({                              \
		(void)(block);          \
		0;                      \
	})
#define unregister_reboot_notifier(block) ((void)(block))
#endif
#ifdef UNDEAD_NO_SUSPEND_NOTIFIER
#define register_pm_notifier(block) \
	({                          \
		(void)(block);      \
		0;                  \
	})
#define unregister_pm_notifier(block) ((void)(block))
#endif

static struct notifier_block suspend_block = { .notifier_call = on_suspend };
static struct notifier_block reboot_block = { .notifier_call = on_reboot };

int undead_lifeline_init(void)
{
	int err;

	lifeline = alloc_workqueue("undead", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	if (!lifeline)
		return -ENOMEM;
	err = register_pm_notifier(&suspend_block);
	if (err)
		goto destroy;
	err = register_reboot_notifier(&reboot_block);
	if (err)
		goto unregister_pm;
	return 0;

unregister_pm:
	unregister_pm_notifier(&suspend_block);
destroy:
	destroy_workqueue(lifeline);
	return err;
}

/* No file is open any more, so no thread is held and nobody arms the work. */
void undead_lifeline_exit(void)
{
	unregister_reboot_notifier(&reboot_block);
	unregister_pm_notifier(&suspend_block);
	cancel_delayed_work_sync(&work);
	destroy_workqueue(lifeline);
}
