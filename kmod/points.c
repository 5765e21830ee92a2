// SPDX-License-Identifier: GPL-2.0
/*
 * How a thread gets to a gate: the file operations of the gate fd, and the
 * operations of its mappings.
 *
 * Every hold happens inside a call on the gate's file or inside one on a mapping
 * of it, and both keep the file. The functions whose names a stack shows return
 * another type than what they call, so that they stay on it: a call of the same
 * type may become a jump.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uio.h>

#include "compat.h"
#include "gate.h"

static ssize_t undead_gate_read(struct file *file, char __user *buf,
				size_t count, loff_t *pos)
{
	return undead_hold(file->private_data, UNDEAD_POINT_READ,
			   UNDEAD_WHERE_NONE, file->f_flags & O_NONBLOCK);
}

/* For readv() and requests: what is not asynchronous is a read(). */
static ssize_t undead_gate_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;

	if (!is_sync_kiocb(iocb))
		return undead_hold_async(file->private_data, iocb);
	return undead_hold(file->private_data, UNDEAD_POINT_READ,
			   UNDEAD_WHERE_NONE,
			   iocb->ki_flags & IOCB_NOWAIT ||
				   file->f_flags & O_NONBLOCK);
}

static long undead_gate_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct undead_gate *gate = file->private_data;

	return undead_ioctl(gate->inst, gate, file, cmd, arg);
}

static __poll_t undead_gate_poll(struct file *file, poll_table *wait)
{
	struct undead_gate *gate = file->private_data;

	poll_wait(file, &gate->inst->wq, wait);
	return undead_gate_poll_mask(gate);
}

/*
 * A signal ends the access with an error where the kernel makes it; where user
 * code makes it, the signal is handled and the access made again.
 */
static vm_fault_t undead_gate_fault(struct vm_fault *vmf)
{
	struct undead_gate *gate = vmf->vma->vm_file->private_data;
	int err;

	err = undead_hold(gate, UNDEAD_POINT_FAULT, UNDEAD_WHERE_NONE, false);
	if (err == -EINTR && vmf->flags & FAULT_FLAG_USER)
		return VM_FAULT_NOPAGE;
	if (err)
		return VM_FAULT_SIGBUS;
	vmf->page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT);
	return vmf->page ? 0 : VM_FAULT_OOM;
}

/* munmap() has given up the write lock when it comes here. */
static enum undead_where where_ended(struct mm_struct *mm)
{
	if (mm != current->mm)
		return current->in_execve ? UNDEAD_WHERE_EXEC :
					    UNDEAD_WHERE_EXIT;
	return undead_mmap_write_locked(mm) ? UNDEAD_WHERE_REPLACED :
					      UNDEAD_WHERE_MUNMAP;
}

static void undead_gate_vma_close(struct vm_area_struct *vma)
{
	undead_hold(vma->vm_file->private_data, UNDEAD_POINT_VMA_CLOSE,
		    where_ended(vma->vm_mm), false);
	barrier(); /* no jump: it shows on the stack */
}

/* A mapping ends once. */
static int gate_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static const struct vm_operations_struct gate_vm_ops = {
	.fault = undead_gate_fault,
	.close = undead_gate_vma_close,
	.may_split = gate_vma_may_split,
};

#if UNDEAD_HAVE_VMA_LOCK
static vm_fault_t map_no_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return 0;
}

/* ->map_pages says that the VMA lock is enough for ->fault. */
static const struct vm_operations_struct gate_vma_lock_vm_ops = {
	.fault = undead_gate_fault,
	.map_pages = map_no_pages,
	.close = undead_gate_vma_close,
	.may_split = gate_vma_may_split,
};
#else
#define gate_vma_lock_vm_ops gate_vm_ops
#endif

/* VM_IO keeps out readers of /proc/PID/mem and MAP_POPULATE. */
static int gate_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct undead_gate *gate = file->private_data;

	undead_vma_set(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = gate->vma_lock ? &gate_vma_lock_vm_ops : &gate_vm_ops;
	return 0;
}

static int undead_gate_flush(struct file *file, fl_owner_t id)
{
	int err = undead_hold(file->private_data, UNDEAD_POINT_FLUSH,
			      UNDEAD_WHERE_NONE, false);

	barrier(); /* no jump: it shows on the stack */
	return err;
}

static int undead_gate_release(struct inode *inode, struct file *file)
{
	struct undead_gate *gate = file->private_data;

	undead_hold(gate, UNDEAD_POINT_RELEASE, UNDEAD_WHERE_NONE, false);
	undead_gate_free(gate);
	return 0;
}

const struct file_operations undead_gate_fops = {
	.owner = THIS_MODULE,
	.read = undead_gate_read,
	.read_iter = undead_gate_read_iter,
	.unlocked_ioctl = undead_gate_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = undead_gate_poll,
	.mmap = gate_mmap,
	.flush = undead_gate_flush,
	.release = undead_gate_release,
};
