// SPDX-License-Identifier: GPL-2.0
/*
 * How a thread gets to a gate: the file operations of the gate fd.
 *
 * Every hold happens inside a call on the gate's file, which keeps the gate. The
 * functions whose names a stack shows return another type than what they call,
 * so that they stay on it: a call of the same type may become a jump.
 */
#include <linux/module.h>
#include <linux/poll.h>

#include "gate.h"

static ssize_t undead_gate_read(struct file *file, char __user *buf,
				size_t count, loff_t *pos)
{
	return undead_hold(file->private_data, UNDEAD_POINT_READ,
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

static int undead_gate_release(struct inode *inode, struct file *file)
{
	undead_gate_free(file->private_data);
	return 0;
}

const struct file_operations undead_gate_fops = {
	.owner = THIS_MODULE,
	.read = undead_gate_read,
	.unlocked_ioctl = undead_gate_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = undead_gate_poll,
	.release = undead_gate_release,
};
