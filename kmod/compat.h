/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only file that may look at the kernel version. The code is written for
 * the newest kernel; what older ones lack is adapted here.
 */
#ifndef UNDEAD_COMPAT_H
#define UNDEAD_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "undead needs Linux 5.10 or newer"
#endif

#endif /* UNDEAD_COMPAT_H */
