/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instances, gates and holds.
 *
 * An instance stands for one control file. The control file and every gate
 * made from it hold a reference on it; a gate never holds one on the control
 * file, so a thread asleep at a gate cannot keep the control file from being
 * released.
 *
 * A gate needs no count of references: it lives exactly as long as its file,
 * and a thread can be held only inside a call on that file, which pins it. The
 * implicit gate is part of the instance and serves read() of the control file.
 *
 * A hold is a record on the stack of the held thread. Whoever releases it
 * touches it under undead_lock only, and the held thread takes that lock once
 * after it woke up, before its stack frame goes away.
 *
 * undead_lock covers all lists, hashes and counters here. It is taken in
 * process context only, so interrupts stay on. Nothing sleeps under it.
 */
#ifndef UNDEAD_GATE_H
#define UNDEAD_GATE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/undead.h>
#include <linux/wait.h>

#define UNDEAD_HAVE_POINTS (BIT(UNDEAD_POINTS) - 1)
#define UNDEAD_HAVE_KINDS  (BIT(UNDEAD_KINDS) - 1)
#define UNDEAD_NEVER       U64_MAX

struct pid;

struct undead_tally {
	u64 admitted;
	u64 passed;
	u64 refused;
	u64 released[UNDEAD_REASONS];
};

/**
 * struct undead_gate - where threads are held
 * @inst:      its instance; constant
 * @id:        number, 0 for the implicit gate; constant
 * @points:    mask of points at which it holds; constant
 * @kind:      how it holds; constant
 * @vma_lock:  point fault holds the VMA lock alone; constant
 * @deadline:  ns from the first hold to its opening, or UNDEAD_NEVER; constant
 * @of_inst:   entry in @inst->gates; undead_lock
 * @busy:      entry in the list of gates that hold somebody; undead_lock
 * @holds:     what it holds, oldest first; undead_lock
 * @enrolled:  struct enrolment, see enrol.c; undead_lock
 * @held:      how many it holds; written under undead_lock
 * @open:      holds nobody any more; written under undead_lock
 * @opened_by: why it opened last; undead_lock
 * @opens_at:  CLOCK_MONOTONIC ns, meant while it holds somebody; undead_lock
 * @tally:     what it has seen; undead_lock
 */
struct undead_gate {
	struct undead_instance *inst;
	u64 id;
	u32 points;
	u32 kind;
	bool vma_lock;
	u64 deadline;
	struct list_head of_inst;
	struct list_head busy;
	struct list_head holds;
	struct list_head enrolled;
	u32 held;
	bool open;
	enum undead_reason opened_by;
	u64 opens_at;
	struct undead_tally tally;
};

/**
 * struct undead_instance - one control file
 * @ref:      the control file, and every gate but @implicit
 * @owner:    the thread group that opened the control file; constant, counted
 * @files:    its table of files, to be compared and never followed; see
 *            undead_owner_flush()
 * @ended:    the owner has ended; undead_lock
 * @entry:    in the list of all instances; undead_lock
 * @gates:    its gates, @implicit too; undead_lock
 * @wq:       for poll() and UNDEAD_IOC_AWAIT: a thread was held, a gate opened
 * @implicit: the gate of read() on the control file, not tied to the owner
 */
struct undead_instance {
	struct kref ref;
	struct pid *owner;
	fl_owner_t files;
	bool ended;
	struct list_head entry;
	struct list_head gates;
	wait_queue_head_t wq;
	struct undead_gate implicit;
};

extern spinlock_t undead_lock;

/* A bug for check-debug, which must notice: see Kbuild. */
#ifdef UNDEAD_SLEEP_UNDER_LOCK
#include <linux/delay.h>
#define undead_bug() msleep(1)
#else
#define undead_bug() \
	do {         \
	} while (0)
#endif

/* main.c: module parameters */
extern unsigned int undead_max_gates;
extern unsigned int undead_max_holds;

int undead_ioctl(struct undead_instance *inst, struct undead_gate *gate,
		 struct file *file, unsigned int cmd, unsigned long arg);

/* gate.c; the first two are called with undead_lock held */
u64 undead_gate_open(struct undead_gate *gate, enum undead_reason reason);
u64 undead_instance_open(struct undead_instance *inst, bool implicit,
			 enum undead_reason reason);
u64 undead_open(struct undead_instance *inst, struct undead_gate *gate,
		bool every);
u64 undead_open_every(bool stop, enum undead_reason reason);
void undead_resume(void);
int undead_rearm(struct undead_gate *gate);
int undead_await(struct undead_gate *gate, u64 count, u64 timeout_ms,
		 u64 *held);
__poll_t undead_gate_poll_mask(struct undead_gate *gate);
__poll_t undead_instance_poll_mask(struct undead_instance *inst);
void undead_usage(u32 *gates, u32 *holds);
struct undead_gate *undead_gate_new(struct undead_instance *inst, u32 points,
				    u32 kind, u64 deadline);
void undead_gate_free(struct undead_gate *gate);
struct undead_instance *undead_instance_new(u64 deadline);
void undead_instance_put(struct undead_instance *inst);

typedef void undead_gate_fn(struct undead_gate *gate, void *data);

/* hold.c; the first four are covered by undead_lock */
extern bool undead_stopped; /* suspend or reboot: hold nobody */
extern u32 undead_nr_holds;
void undead_drain_later(struct undead_gate *gate);
void undead_visit_busy(undead_gate_fn *fn, void *data);
void undead_drain(void);
void undead_complete_released(void);
int undead_hold(struct undead_gate *gate, enum undead_point point,
		enum undead_where where, bool nonblock);
int undead_hold_async(struct undead_gate *gate, struct kiocb *iocb);
int undead_release(struct undead_gate *gate, u32 what, u64 id, u64 *released);
u64 undead_list(struct undead_gate *gate, u64 after, struct undead_hold *buf,
		u32 capacity, u32 *count);
void undead_count(struct undead_gate *gate, struct undead_counters *counters);

/* enrol.c */
bool undead_enrolled(struct undead_gate *gate);
int undead_enrol(struct undead_gate *gate, pid_t tid, bool group);
void undead_enrolled_free(struct undead_gate *gate);

/* points.c */
extern const struct file_operations undead_gate_fops;

/* lifeline.c */
int undead_lifeline_init(void);
void undead_lifeline_exit(void);
void undead_lifeline_need(u64 at);
void undead_lifeline_complete(void);
void undead_owner_end(struct undead_instance *inst);
int undead_owner_flush(struct file *file, fl_owner_t id);

#endif /* UNDEAD_GATE_H */
