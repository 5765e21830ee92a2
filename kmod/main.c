// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/undead: the device, its control file, and the ioctls of both files.
 *
 * A call copies its struct in, acts, and replies. Where acting cannot be undone
 * it replies once before, so that a struct that cannot be written changes
 * nothing. Lifetimes and locks: see gate.h.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "gate.h"

static unsigned int deadline_ms = 60000;
module_param(deadline_ms, uint, 0644);
MODULE_PARM_DESC(deadline_ms,
		 "Deadline of cat /dev/undead, and the advised one");

static unsigned int max_deadline_ms = 3600000;
module_param(max_deadline_ms, uint, 0644);
MODULE_PARM_DESC(max_deadline_ms, "Longest deadline that a gate may have");

unsigned int undead_max_gates = 4096;
module_param_named(max_gates, undead_max_gates, uint, 0644);
MODULE_PARM_DESC(max_gates, "Most gates in the system");

unsigned int undead_max_holds = 32768;
module_param_named(max_holds, undead_max_holds, uint, 0644);
MODULE_PARM_DESC(max_holds, "Most threads held in the system");

static bool unbounded;
module_param(unbounded, bool, 0644);
MODULE_PARM_DESC(unbounded, "Allow gates that never open by themselves");

/* The panic button: whatever is written opens every gate for good. */
static int open_every(const char *value, const struct kernel_param *param)
{
	undead_open_every(false, UNDEAD_REASON_REQUEST);
	return 0;
}

static const struct kernel_param_ops open_every_ops = { .set = open_every };
module_param_cb(open_every, &open_every_ops, NULL, 0200);
MODULE_PARM_DESC(open_every, "Write anything: every gate opens for good");

/* One ioctl: @gate is NULL on a control file. */
struct undead_call {
	struct undead_instance *inst;
	struct undead_gate *gate;
	void __user *user;
	size_t size;
	union {
		struct undead_info info;
		struct undead_gate_create create;
		struct undead_hold_req hold;
		struct undead_release release;
		struct undead_open open;
		struct undead_rearm rearm;
		struct undead_await await;
		struct undead_list list;
		struct undead_counters counters;
		struct undead_enrol enrol;
	} arg;
	bool nonblock;
};

static int reply(struct undead_call *call)
{
	return copy_to_user(call->user, &call->arg, call->size) ? -EFAULT : 0;
}

static u64 default_deadline_ms(void)
{
	return clamp(READ_ONCE(deadline_ms), 1U, READ_ONCE(max_deadline_ms));
}

static int do_info(struct undead_call *call)
{
	struct undead_info *info = &call->arg.info;

	if (info->flags || info->__reserved)
		return -EINVAL;
	info->abi = UNDEAD_ABI;
	info->points = UNDEAD_HAVE_POINTS;
	info->kinds = UNDEAD_HAVE_KINDS;
	undead_usage(&info->gates, &info->holds);
	info->max_gates = READ_ONCE(undead_max_gates);
	info->max_holds = READ_ONCE(undead_max_holds);
	info->default_deadline_ms = default_deadline_ms();
	info->max_deadline_ms = READ_ONCE(max_deadline_ms);
	return reply(call);
}

static int check_create(const struct undead_gate_create *create)
{
	if (create->__reserved ||
	    create->flags & ~(UNDEAD_GATE_UNBOUNDED | UNDEAD_GATE_VMA_LOCK))
		return -EINVAL;
	if (create->flags & UNDEAD_GATE_VMA_LOCK && !UNDEAD_HAVE_VMA_LOCK)
		return -EOPNOTSUPP;
	if (create->points & ~UNDEAD_HAVE_POINTS)
		return -EOPNOTSUPP;
	if (create->kind >= 32 || !(UNDEAD_HAVE_KINDS & BIT(create->kind)))
		return -EOPNOTSUPP;
	if (create->flags & UNDEAD_GATE_UNBOUNDED) {
		if (create->deadline_ms)
			return -EINVAL;
		return READ_ONCE(unbounded) ? 0 : -EPERM;
	}
	if (!create->deadline_ms)
		return -EINVAL;
	return create->deadline_ms > READ_ONCE(max_deadline_ms) ? -ERANGE : 0;
}

static struct file *new_gate_file(struct undead_call *call)
{
	struct undead_gate_create *create = &call->arg.create;
	struct undead_gate *gate;
	struct file *file;
	u64 deadline;

	deadline = create->flags & UNDEAD_GATE_UNBOUNDED ?
			   UNDEAD_NEVER :
			   create->deadline_ms * NSEC_PER_MSEC;
	gate = undead_gate_new(call->inst, create->points, create->kind,
			       deadline);
	if (IS_ERR(gate))
		return ERR_CAST(gate);
	gate->vma_lock = create->flags & UNDEAD_GATE_VMA_LOCK;
	create->gate = gate->id;
	file = anon_inode_getfile("[undead-gate]", &undead_gate_fops, gate,
				  O_RDWR);
	if (IS_ERR(file)) {
		undead_gate_free(gate);
		return file;
	}
	stream_open(file_inode(file), file);
	/* io_uring makes its request at once, and does not poll first. */
	file->f_mode |= FMODE_NOWAIT;
	return file;
}

/* fd_install() comes last: nothing can fail once the fd can be seen. */
static int do_gate_create(struct undead_call *call)
{
	struct file *file;
	int err, fd;

	err = check_create(&call->arg.create);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = new_gate_file(call);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto put_fd;
	call->arg.create.fd = fd;
	err = reply(call);
	if (err)
		goto put_file;
	fd_install(fd, file);
	return 0;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
	return err;
}

static int do_hold(struct undead_call *call)
{
	if (call->arg.hold.flags)
		return -EINVAL;
	return undead_hold(call->gate, UNDEAD_POINT_IOCTL, UNDEAD_WHERE_NONE,
			   call->nonblock);
}

static int do_release(struct undead_call *call)
{
	struct undead_release *release = &call->arg.release;
	int err;

	if (release->flags || release->__reserved)
		return -EINVAL;
	err = reply(call);
	if (err)
		return err;
	err = undead_release(call->gate, release->what, release->id,
			     &release->released);
	return err ? err : reply(call);
}

static int do_open(struct undead_call *call)
{
	struct undead_open *open = &call->arg.open;
	int err;

	if (open->flags & ~(call->gate ? 0 : UNDEAD_OPEN_EVERY))
		return -EINVAL;
	err = reply(call);
	if (err)
		return err;
	open->released = undead_open(call->inst, call->gate,
				     open->flags & UNDEAD_OPEN_EVERY);
	return reply(call);
}

static int do_rearm(struct undead_call *call)
{
	return call->arg.rearm.flags ? -EINVAL : undead_rearm(call->gate);
}

static int do_await(struct undead_call *call)
{
	struct undead_await *await = &call->arg.await;
	int err;

	if (await->flags)
		return -EINVAL;
	err = undead_await(call->gate, await->count, await->timeout_ms,
			   &await->held);
	if (err && err != -ETIMEDOUT)
		return err;
	return reply(call) ?: err;
}

static int copy_entries(const struct undead_list *list,
			const struct undead_hold *buf)
{
	u64 known = min_t(u64, list->entry_size, sizeof(*buf));
	char __user *to = u64_to_user_ptr(list->entries);
	u32 i;

	for (i = 0; i < list->count; i++, to += list->entry_size)
		if (copy_to_user(to, &buf[i], known) ||
		    clear_user(to + known, list->entry_size - known))
			return -EFAULT;
	return 0;
}

static int do_list(struct undead_call *call)
{
	struct undead_list *list = &call->arg.list;
	struct undead_hold *buf;
	u32 capacity;
	int err;

	if (list->flags || list->__reserved)
		return -EINVAL;
	if (list->entry_size < sizeof(*buf))
		return -EINVAL;
	if (list->entry_size > PAGE_SIZE)
		return -E2BIG;
	capacity = min_t(u32, list->capacity, UNDEAD_LIST_MAX);
	buf = kvmalloc_array(capacity, sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	list->total = undead_list(call->gate, list->after, buf, capacity,
				  &list->count);
	err = copy_entries(list, buf);
	kvfree(buf);
	return err ? err : reply(call);
}

static int do_counters(struct undead_call *call)
{
	if (call->arg.counters.flags)
		return -EINVAL;
	undead_count(call->gate, &call->arg.counters);
	return reply(call);
}

static int do_enrol(struct undead_call *call)
{
	struct undead_enrol *enrol = &call->arg.enrol;

	if (enrol->flags & ~UNDEAD_ENROL_GROUP || enrol->__reserved)
		return -EINVAL;
	return undead_enrol(call->gate, enrol->tid,
			    enrol->flags & UNDEAD_ENROL_GROUP);
}

#define CONTROL BIT(0)
#define GATE    BIT(1)

/* By number of the ioctl; @size is that of the first version of the struct. */
static const struct {
	int (*fn)(struct undead_call *call);
	size_t size;
	unsigned int on;
} calls[] = {
	{ do_info, sizeof(struct undead_info), CONTROL },
	{ do_gate_create, sizeof(struct undead_gate_create), CONTROL },
	{ do_hold, sizeof(struct undead_hold_req), GATE },
	{ do_release, sizeof(struct undead_release), CONTROL | GATE },
	{ do_open, sizeof(struct undead_open), CONTROL | GATE },
	{ do_rearm, sizeof(struct undead_rearm), GATE },
	{ do_await, sizeof(struct undead_await), GATE },
	{ do_list, sizeof(struct undead_list), CONTROL | GATE },
	{ do_counters, sizeof(struct undead_counters), CONTROL | GATE },
	{ do_enrol, sizeof(struct undead_enrol), GATE },
};

static int copy_in(struct undead_call *call, size_t known)
{
	u32 size;

	if (get_user(size, (u32 __user *)call->user))
		return -EFAULT;
	if (size < known)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	call->size = known;
	return copy_struct_from_user(&call->arg, known, call->user, size);
}

/* @gate: NULL on the control file. */
int undead_ioctl(struct undead_instance *inst, struct undead_gate *gate,
		 struct file *file, unsigned int cmd, unsigned long arg)
{
	struct undead_call call = {
		.inst = inst,
		.gate = gate,
		.user = (void __user *)arg,
		.nonblock = file->f_flags & O_NONBLOCK,
	};
	unsigned int nr = _IOC_NR(cmd);
	int err;

	if (nr >= ARRAY_SIZE(calls) || cmd != _IO(UNDEAD_IOC_MAGIC, nr) ||
	    !(calls[nr].on & (gate ? GATE : CONTROL)))
		return -ENOTTY;
	err = copy_in(&call, calls[nr].size);
	return err ? err : calls[nr].fn(&call);
}

/* Whoever opens it can make tasks that nothing kills: not for a user's root. */
static int control_open(struct inode *inode, struct file *file)
{
	struct undead_instance *inst;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	inst = undead_instance_new(default_deadline_ms() * NSEC_PER_MSEC);
	if (!inst)
		return -ENOMEM;
	file->private_data = inst;
	return stream_open(inode, file);
}

static ssize_t undead_control_read(struct file *file, char __user *buf,
				   size_t count, loff_t *pos)
{
	struct undead_instance *inst = file->private_data;

	return undead_hold(&inst->implicit, UNDEAD_POINT_READ,
			   UNDEAD_WHERE_NONE, file->f_flags & O_NONBLOCK);
}

static long control_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	return undead_ioctl(file->private_data, NULL, file, cmd, arg);
}

static __poll_t control_poll(struct file *file, poll_table *wait)
{
	struct undead_instance *inst = file->private_data;

	poll_wait(file, &inst->wq, wait);
	return undead_instance_poll_mask(inst);
}

static int control_release(struct inode *inode, struct file *file)
{
	undead_owner_end(file->private_data);
	undead_instance_put(file->private_data);
	return 0;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = undead_control_read,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = control_poll,
	.flush = undead_owner_flush,
	.release = control_release,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "undead",
	.fops = &control_fops,
	.mode = 0600,
};

static int __init undead_init(void)
{
	int err;

	err = undead_lifeline_init();
	if (err)
		return err;
	err = misc_register(&device);
	if (err)
		undead_lifeline_exit();
	return err;
}
module_init(undead_init);

static void __exit undead_exit(void)
{
	misc_deregister(&device);
	undead_lifeline_exit();
}
module_exit(undead_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
MODULE_DESCRIPTION("Hold threads at chosen points of the kernel, until told");
