/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only file that may look at the kernel version. The code is written for
 * the newest kernel; what older ones lack is adapted here.
 */
#ifndef UNDEAD_COMPAT_H
#define UNDEAD_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "undead needs Linux 5.10 or newer"
#endif

/* Since commit 54e6842d0775 ("fork/vm: Move common PF_IO_WORKER behavior to new flag"), 6.4. */
#ifndef PF_USER_WORKER
#define PF_USER_WORKER 0
#endif

/* commit bc292ab00f6c ("mm: introduce vma->vm_flags wrapper functions"), 6.3 */
static inline void undead_vma_set(struct vm_area_struct *vma, vm_flags_t flags)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
	vma->vm_flags |= flags;
#else
	vm_flags_set(vma, flags);
#endif
}

/* commit dd3b614f8571 ("vm_ops: rename .split() callback to .may_split()"), 5.11 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define may_split split
#endif

/*
 * A fault of vm_ops with ->map_pages runs under the VMA lock alone since commit
 * 4ed4379881aa ("mm: handle shared faults under the VMA lock"), 6.7.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0) && \
	defined(CONFIG_PER_VMA_LOCK)
#define UNDEAD_HAVE_VMA_LOCK 1
#else
#define UNDEAD_HAVE_VMA_LOCK 0
#endif

/*
 * Does somebody hold it for writing? There is no function for it: bit 0 is
 * RWSEM_WRITER_LOCKED of kernel/locking/rwsem.c in all of them, and
 * mmap_read_trylock() would take a waiting writer for one.
 */
static inline bool undead_mmap_write_locked(struct mm_struct *mm)
{
#ifdef CONFIG_PREEMPT_RT
	return atomic_read(&mm->mmap_lock.rwbase.readers) == WRITER_BIAS;
#else
	return atomic_long_read(&mm->mmap_lock.count) & 1;
#endif
}

/* commit 6b19b766e8f0 ("fs: get rid of the res2 iocb->ki_complete argument"), 5.16 */
static inline void undead_complete(struct kiocb *iocb, long ret)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
	iocb->ki_complete(iocb, ret, 0);
#else
	iocb->ki_complete(iocb, ret);
#endif
}

#endif /* UNDEAD_COMPAT_H */
