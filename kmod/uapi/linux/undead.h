/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/undead: hold a thread in the kernel, at a chosen point, until told.
 *
 * Opening the device gives a control file; UNDEAD_IOC_GATE_CREATE on it gives
 * a gate fd. Threads are held at gates. When the owner (the thread group that
 * opened the control file) ends, for whatever reason, all its gates open for
 * good. Every gate opens by itself at its deadline.
 *
 * Rules of every struct here (those of copy_struct_from_user()):
 *  - @size comes first and is sizeof() as the caller knows it; shorter than
 *    the first version of the struct: EINVAL; longer than the kernel's, with
 *    a non-zero byte in the part it does not know: E2BIG.
 *  - reserved fields and unknown flags must be 0, else EINVAL.
 *  - the layout is the same for 32-bit and 64-bit callers.
 *  - a bad pointer: EFAULT; an unknown ioctl, or one that belongs to the other
 *    kind of file: ENOTTY. A call that fails has changed nothing.
 *  - a tid or tgid is a number in the caller's pid namespace, 0 where the
 *    thread cannot be seen from there.
 *
 * poll(): POLLPRI while a thread is held at the gate (control file: at any of
 * its gates); POLLIN when the gate (control file: the implicit one) is open, so
 * that read() would not hold.
 */
#ifndef _UAPI_LINUX_UNDEAD_H
#define _UAPI_LINUX_UNDEAD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Raised when something here changes in a way that old callers notice. */
#define UNDEAD_ABI 1

/**
 * enum undead_point - where in the kernel a thread is held
 * @UNDEAD_POINT_READ:      read() of the gate fd
 * @UNDEAD_POINT_IOCTL:     UNDEAD_IOC_HOLD on the gate fd
 * @UNDEAD_POINT_FAULT:     first touch of a page of the gate's mapping
 * @UNDEAD_POINT_VMA_CLOSE: the end of the gate's mapping
 * @UNDEAD_POINT_FLUSH:     close(), or exit_files() in do_exit()
 * @UNDEAD_POINT_RELEASE:   the last put of the gate fd, in __fput()
 * @UNDEAD_POINT_AIO:       an asynchronous read that ends when it is released
 * @UNDEAD_POINTS:          how many there are; not a point
 *
 * A gate holds at the points of its mask (bit n is point n) and lets pass at
 * the others. read() and UNDEAD_IOC_HOLD hold whoever calls them; the other
 * points hold enrolled threads only, and never the owner. struct undead_info
 * says which points this module has.
 */
enum undead_point {
	UNDEAD_POINT_READ,
	UNDEAD_POINT_IOCTL,
	UNDEAD_POINT_FAULT,
	UNDEAD_POINT_VMA_CLOSE,
	UNDEAD_POINT_FLUSH,
	UNDEAD_POINT_RELEASE,
	UNDEAD_POINT_AIO,
	UNDEAD_POINTS,
};

/**
 * enum undead_kind - how a thread is held, and what SIGKILL does to it
 * @UNDEAD_KIND_UNINTERRUPTIBLE: wait_event(): D, deaf to every signal
 * @UNDEAD_KIND_KILLABLE:        wait_event_killable(): D, dies of SIGKILL
 * @UNDEAD_KIND_INTERRUPTIBLE:   wait_event_interruptible(): S, any signal
 * @UNDEAD_KIND_IDLE:            wait_event_idle(): I, deaf, not in the load
 * @UNDEAD_KIND_IOWAIT:          io_schedule(): D, deaf, counted as iowait
 * @UNDEAD_KIND_SPIN:            a preemptible loop: R, deaf
 * @UNDEAD_KINDS:                how many there are; not a kind
 */
enum undead_kind {
	UNDEAD_KIND_UNINTERRUPTIBLE,
	UNDEAD_KIND_KILLABLE,
	UNDEAD_KIND_INTERRUPTIBLE,
	UNDEAD_KIND_IDLE,
	UNDEAD_KIND_IOWAIT,
	UNDEAD_KIND_SPIN,
	UNDEAD_KINDS,
};

/**
 * enum undead_reason - what ended a hold; index of undead_counters.released
 * @UNDEAD_REASON_REQUEST:  UNDEAD_IOC_RELEASE or UNDEAD_IOC_OPEN
 * @UNDEAD_REASON_DEADLINE: the gate opened by itself
 * @UNDEAD_REASON_OWNER:    the owner ended
 * @UNDEAD_REASON_SIGNAL:   a signal (kinds killable and interruptible)
 * @UNDEAD_REASON_SHUTDOWN: reboot, power-off or suspend
 * @UNDEAD_REASONS:         how many there are; not a reason
 */
enum undead_reason {
	UNDEAD_REASON_REQUEST,
	UNDEAD_REASON_DEADLINE,
	UNDEAD_REASON_OWNER,
	UNDEAD_REASON_SIGNAL,
	UNDEAD_REASON_SHUTDOWN,
	UNDEAD_REASONS,
};

/**
 * enum undead_where - what ended the mapping, for UNDEAD_POINT_VMA_CLOSE
 * @UNDEAD_WHERE_NONE:     any other point
 * @UNDEAD_WHERE_MUNMAP:   munmap()
 * @UNDEAD_WHERE_REPLACED: MAP_FIXED or mremap() over it, write lock held
 * @UNDEAD_WHERE_EXIT:     exit_mmap() of the last user of the address space
 * @UNDEAD_WHERE_EXEC:     the old address space of execve()
 */
enum undead_where {
	UNDEAD_WHERE_NONE,
	UNDEAD_WHERE_MUNMAP,
	UNDEAD_WHERE_REPLACED,
	UNDEAD_WHERE_EXIT,
	UNDEAD_WHERE_EXEC,
};

/**
 * struct undead_info - what this module is and allows (control file)
 * @size:                sizeof(struct undead_info)
 * @flags:               must be 0
 * @abi:                 out: UNDEAD_ABI of the module
 * @points:              out: mask of enum undead_point it has
 * @kinds:               out: mask of enum undead_kind it has
 * @gates:               out: gates in the system now
 * @holds:               out: threads held in the system now
 * @max_gates:           out: most gates in the system (parameter max_gates)
 * @max_holds:           out: most threads held (parameter max_holds)
 * @__reserved:          must be 0
 * @default_deadline_ms: out: default deadline, ms (parameter deadline_ms)
 * @max_deadline_ms:     out: longest deadline, ms (parameter max_deadline_ms)
 */
struct undead_info {
	__u32 size;
	__u32 flags;
	__u32 abi;
	__u32 points;
	__u32 kinds;
	__u32 gates;
	__u32 holds;
	__u32 max_gates;
	__u32 max_holds;
	__u32 __reserved;
	__aligned_u64 default_deadline_ms;
	__aligned_u64 max_deadline_ms;
};

/* The gate never opens by itself. EPERM unless parameter unbounded is set. */
#define UNDEAD_GATE_UNBOUNDED (1U << 0)
/* Point fault holds the VMA lock alone, not mmap_lock, where there is one. */
#define UNDEAD_GATE_VMA_LOCK (1U << 1)

/**
 * struct undead_gate_create - make a gate (control file)
 * @size:        sizeof(struct undead_gate_create)
 * @flags:       UNDEAD_GATE_*
 * @points:      mask of enum undead_point at which it holds; a point that the
 *               module does not have: EOPNOTSUPP
 * @kind:        enum undead_kind; one that it does not have: EOPNOTSUPP
 * @deadline_ms: ms from the moment the first thread is held (counted anew
 *               whenever the gate was empty) to the moment the gate opens for
 *               good. 0: EINVAL; over undead_info.max_deadline_ms: ERANGE.
 *               Must be 0 with UNDEAD_GATE_UNBOUNDED.
 * @fd:          out: the gate fd, close-on-exec
 * @__reserved:  must be 0
 * @gate:        out: number of the gate, never used twice
 *
 * ENFILE: undead_info.max_gates reached. ESHUTDOWN: the owner has ended.
 */
struct undead_gate_create {
	__u32 size;
	__u32 flags;
	__u32 points;
	__u32 kind;
	__aligned_u64 deadline_ms;
	__s32 fd;
	__u32 __reserved;
	__aligned_u64 gate;
};

/**
 * struct undead_hold_req - be held at point ioctl (gate fd)
 * @size:  sizeof(struct undead_hold_req)
 * @flags: must be 0
 *
 * Returns as read() of the gate fd does, which is:
 * 0 when released or when the gate is open or point read is not in its mask;
 * EINTR when a signal ended the hold (kinds killable, interruptible);
 * EAGAIN when it would have to hold and the fd is O_NONBLOCK (or RWF_NOWAIT);
 * EUSERS when undead_info.max_holds is reached;
 * EPERM for a real-time or deadline task at a gate of kind spin.
 *
 * At the other points: a fault has its page, of zeroes, when released; SIGBUS
 * (in the kernel: EFAULT) when refused; after a signal user code makes the
 * access again, the kernel gets EFAULT. close() returns what flush got. A
 * request at point aio returns 0 bytes. O_NONBLOCK has no effect there.
 */
struct undead_hold_req {
	__u32 size;
	__u32 flags;
};

/* undead_release.what */
#define UNDEAD_RELEASE_HOLD   0 /* @id is undead_hold.id; ESRCH */
#define UNDEAD_RELEASE_TID    1 /* @id is a tid; ESRCH: it is not held */
#define UNDEAD_RELEASE_OLDEST 2 /* @id is how many, the oldest first */
#define UNDEAD_RELEASE_ALL    3 /* @id must be 0 */

/**
 * struct undead_release - let held threads go on; the gate stays armed
 * @size:     sizeof(struct undead_release)
 * @flags:    must be 0
 * @what:     UNDEAD_RELEASE_*
 * @__reserved: must be 0
 * @id:       as @what says
 * @released: out: how many were released
 *
 * On a gate fd: threads held there. On a control file: in the whole system.
 */
struct undead_release {
	__u32 size;
	__u32 flags;
	__u32 what;
	__u32 __reserved;
	__aligned_u64 id;
	__aligned_u64 released;
};

/* Every gate in the system, not only those of this control file. */
#define UNDEAD_OPEN_EVERY (1U << 0)

/**
 * struct undead_open - open for good: release all, hold nobody any more
 * @size:     sizeof(struct undead_open)
 * @flags:    control file: 0 or UNDEAD_OPEN_EVERY; gate fd: 0
 * @released: out: how many threads were held
 *
 * On a gate fd: that gate. On a control file: the gates made from it.
 */
struct undead_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 released;
};

/**
 * struct undead_rearm - close an open gate again (gate fd)
 * @size:  sizeof(struct undead_rearm)
 * @flags: must be 0
 *
 * ESHUTDOWN: the owner has ended, it stays open.
 */
struct undead_rearm {
	__u32 size;
	__u32 flags;
};

/**
 * struct undead_await - sleep until threads are held (gate fd)
 * @size:       sizeof(struct undead_await)
 * @flags:      must be 0
 * @count:      return 0 once at least so many threads are held at this gate
 * @timeout_ms: ETIMEDOUT after so long; 0 only looks. Over 2^31 - 1: ERANGE
 * @held:       out: how many are held now; written with ETIMEDOUT as well
 *
 * EINTR: a signal. ECANCELED: the gate is open and holds fewer, so it would be
 * in vain. A thread is counted just before it sleeps: await its state as well.
 */
struct undead_await {
	__u32 size;
	__u32 flags;
	__aligned_u64 count;
	__aligned_u64 timeout_ms;
	__aligned_u64 held;
};

/**
 * struct undead_hold - one thread held
 * @id:       number of the hold, never used twice, rising
 * @gate:     number of the gate, undead_gate_create.gate; 0: the implicit gate
 *            of a control file that is read
 * @since_ns: CLOCK_MONOTONIC when it was held
 * @tid:      the thread, in the caller's pid namespace
 * @tgid:     its thread group, in the caller's pid namespace
 * @point:    enum undead_point
 * @kind:     enum undead_kind
 * @where:    enum undead_where
 * @__reserved: 0
 */
struct undead_hold {
	__aligned_u64 id;
	__aligned_u64 gate;
	__aligned_u64 since_ns;
	__s32 tid;
	__s32 tgid;
	__u32 point;
	__u32 kind;
	__u32 where;
	__u32 __reserved;
};

/* Most entries that one UNDEAD_IOC_LIST fills. */
#define UNDEAD_LIST_MAX 4096

/**
 * struct undead_list - list what is held, in the order of undead_hold.id
 * @size:       sizeof(struct undead_list)
 * @flags:      must be 0
 * @entries:    address of an array of @capacity entries of struct undead_hold
 * @entry_size: sizeof(struct undead_hold) as the caller knows it; shorter than
 *              the first version: EINVAL; what the kernel does not know of a
 *              longer one is zeroed
 * @capacity:   room, in entries; what is over UNDEAD_LIST_MAX is not used
 * @after:      list holds with an id greater than this only (0: from the start)
 * @count:      out: entries written
 * @__reserved: must be 0
 * @total:      out: how many are held in all, listed or not
 *
 * On a gate fd: that gate. On a control file: the whole system.
 */
struct undead_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 entries;
	__u32 entry_size;
	__u32 capacity;
	__aligned_u64 after;
	__u32 count;
	__u32 __reserved;
	__aligned_u64 total;
};

/**
 * struct undead_counters - what a gate has seen
 * @size:     sizeof(struct undead_counters)
 * @flags:    must be 0
 * @admitted: out: threads that were held, ever
 * @passed:   out: came to a point and passed (unarmed, open, owner, stranger)
 * @refused:  out: got an error instead (EAGAIN, EUSERS, EPERM)
 * @held:     out: held now; always admitted less the sum of @released
 * @released: out: by enum undead_reason
 *
 * On a gate fd: that gate. On a control file: since the module was loaded, all
 * gates together.
 */
struct undead_counters {
	__u32 size;
	__u32 flags;
	__aligned_u64 admitted;
	__aligned_u64 passed;
	__aligned_u64 refused;
	__aligned_u64 held;
	__aligned_u64 released[UNDEAD_REASONS];
};

/* The whole thread group, with the threads it makes later. */
#define UNDEAD_ENROL_GROUP (1U << 0)

/**
 * struct undead_enrol - name a thread that may be held (gate fd)
 * @size:  sizeof(struct undead_enrol)
 * @flags: 0: the thread alone; UNDEAD_ENROL_GROUP: its thread group
 * @tid:   the thread; 0: the caller
 * @__reserved: must be 0
 *
 * Only the owner may name others than itself (EPERM). ESRCH: no such thread.
 */
struct undead_enrol {
	__u32 size;
	__u32 flags;
	__s32 tid;
	__u32 __reserved;
};

#define UNDEAD_IOC_MAGIC       0xDD
#define UNDEAD_IOC_INFO        _IO(UNDEAD_IOC_MAGIC, 0) /* undead_info */
#define UNDEAD_IOC_GATE_CREATE _IO(UNDEAD_IOC_MAGIC, 1) /* undead_gate_create */
#define UNDEAD_IOC_HOLD        _IO(UNDEAD_IOC_MAGIC, 2) /* undead_hold_req */
#define UNDEAD_IOC_RELEASE     _IO(UNDEAD_IOC_MAGIC, 3) /* undead_release */
#define UNDEAD_IOC_OPEN        _IO(UNDEAD_IOC_MAGIC, 4) /* undead_open */
#define UNDEAD_IOC_REARM       _IO(UNDEAD_IOC_MAGIC, 5) /* undead_rearm */
#define UNDEAD_IOC_AWAIT       _IO(UNDEAD_IOC_MAGIC, 6) /* undead_await */
#define UNDEAD_IOC_LIST        _IO(UNDEAD_IOC_MAGIC, 7) /* undead_list */
#define UNDEAD_IOC_COUNTERS    _IO(UNDEAD_IOC_MAGIC, 8) /* undead_counters */
#define UNDEAD_IOC_ENROL       _IO(UNDEAD_IOC_MAGIC, 9) /* undead_enrol */

#endif /* _UAPI_LINUX_UNDEAD_H */
