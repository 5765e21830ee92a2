// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "pidfd.h"

/* The kernel takes any size from that of the first version up. */
#define GET_INFO _IOWR(0xff, 11, struct pidfd_details)

_Static_assert(offsetof(struct pidfd_details, coredump_mask) == 64,
	       "PIDFD_INFO_SIZE_VER0");

int pidfd_details(int pidfd, struct pidfd_details *d)
{
	return ioctl(pidfd, GET_INFO, d) < 0 ? -errno : 0;
}
