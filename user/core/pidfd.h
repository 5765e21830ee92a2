/* SPDX-License-Identifier: GPL-2.0 */
/* PIDFD_GET_INFO, by the first version of its struct and as much as we use. */
#ifndef UNDEAD_PIDFD_H
#define UNDEAD_PIDFD_H

#include <stdint.h>

/*
 * Commit cdda1f26e74b ("pidfd: add ioctl to retrieve pid info"), 6.13;
 * PIDFD_INFO_EXIT: commit 7477d7dce48a ("pidfs: allow to retrieve exit
 * information"), 6.15; PIDFD_INFO_COREDUMP: 6.16.
 */
#define PIDFD_INFO_PID_BIT      (1ULL << 0)
#define PIDFD_INFO_EXIT_BIT     (1ULL << 3)
#define PIDFD_INFO_COREDUMP_BIT (1ULL << 4)
/* What made it dump, if it has: 6.19, 7.1. */
#define PIDFD_INFO_SIGNAL_BIT (1ULL << 6)
#define PIDFD_INFO_CODE_BIT   (1ULL << 7)

/**
 * struct pidfd_details - what a pidfd tells
 * @mask:      in: what is wanted; out: what is there
 * @exit_code: a wait status; there once the process, or thread, is released
 * @coredump_mask: bit 0: dumped, bit 1: not
 * @coredump_signal, @coredump_code: si_signo and si_code of what made it dump
 */
struct pidfd_details {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ids[8];
	int32_t exit_code;
	uint32_t coredump_mask;
	uint32_t coredump_signal;
	int32_t coredump_code;
	uint32_t coredump_pad;
};

/**
 * pidfd_details() - ask
 * Return: 0, or -errno: -ENOTTY before 6.13.
 */
int pidfd_details(int pidfd, struct pidfd_details *d);

#endif
