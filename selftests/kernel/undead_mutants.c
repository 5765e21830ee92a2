// SPDX-License-Identifier: GPL-2.0
/* Goes into a copy of the kernel's sources, see mutants.h. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/undead_mutants.h>

unsigned int undead_site, undead_operation;
u8 undead_seen[UNDEAD_SITES];

static ssize_t select_write(struct file *file, const char __user *user,
			    size_t size, loff_t *pos)
{
	unsigned int site, operation;
	char text[32] = "";

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, size))
		return -EFAULT;
	if (sscanf(text, "%u %u", &site, &operation) != 2 ||
	    site >= UNDEAD_SITES)
		return -EINVAL;
	WRITE_ONCE(undead_site, 0);
	undead_operation = operation;
	/* Who sees the site sees the operation. */
	smp_wmb();
	WRITE_ONCE(undead_site, site);
	return size;
}

static const struct file_operations select_fops = {
	.write = select_write,
};

static ssize_t seen_read(struct file *file, char __user *user, size_t size,
			 loff_t *pos)
{
	return simple_read_from_buffer(user, size, pos, undead_seen,
				       sizeof(undead_seen));
}

/* Whatever is written: forget. */
static ssize_t seen_write(struct file *file, const char __user *user,
			  size_t size, loff_t *pos)
{
	memset(undead_seen, 0, sizeof(undead_seen));
	return size;
}

static const struct file_operations seen_fops = {
	.read = seen_read,
	.write = seen_write,
};

static int __init undead_mutants_init(void)
{
	struct dentry *dir = debugfs_create_dir("undead_mutants", NULL);

	debugfs_create_file("select", 0200, dir, NULL, &select_fops);
	debugfs_create_file("seen", 0600, dir, NULL, &seen_fops);
	return 0;
}
late_initcall(undead_mutants_init);
