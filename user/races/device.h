/* SPDX-License-Identifier: GPL-2.0 */
/* What the races of the device share: a gate, and whether its counters add up. */
#ifndef UNDEAD_RACES_DEVICE_H
#define UNDEAD_RACES_DEVICE_H

#include "../core/await.h"
#include "../core/dev.h"
#include "../race.h"

#define LONG_MS 60000

static inline int race_device(struct round *r)
{
	int ctl = dev_open();

	if (ctl < 0)
		race_skip(r, "%s", dev_why(ctl));
	return ctl;
}

static inline int race_gate(struct round *r, int ctl, uint64_t deadline_ms)
{
	int fd = dev_gate(ctl, 1U << UNDEAD_POINT_READ,
			  UNDEAD_KIND_UNINTERRUPTIBLE, deadline_ms, NULL);

	if (fd < 0)
		race_broken(r, "cannot make a gate: error %d", -fd);
	return fd;
}

/*
 * Counters of a gate whose owner has ended: exit_files() of its last thread came to
 * point flush and passed, as do_exit() calls that before exit_notify(). A new
 * parent is no sign of it: find_alive_thread() skips a thread that has PF_EXITING
 * and has not come to exit_files() yet.
 */
static inline void race_await_owner(pid_t owner)
{
	_cleanup_close_ int fd = pidfd_of(owner, 0);

	while (fd >= 0 && !await_readable(fd, AWAIT_MS))
		;
}

static inline uint64_t released_in_all(const struct undead_counters *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < UNDEAD_REASONS; i++)
		sum += c->released[i];
	return sum;
}

/*
 * Between two rounds nobody is held, and whoever came was admitted, passed or
 * was refused: @came since @before.
 */
static inline struct undead_counters race_adds_up(
	struct round *r, int fd, const struct undead_counters *before,
	uint64_t came)
{
	struct undead_counters now = { 0 };

	if (dev_counters(fd, &now))
		race_broken(r, "cannot read the counters: %m");
	now.admitted -= before->admitted;
	now.passed -= before->passed;
	now.refused -= before->refused;
	for (int i = 0; i < UNDEAD_REASONS; i++)
		now.released[i] -= before->released[i];
	race_check(r, !now.held && now.admitted == released_in_all(&now),
		   "let_go(): admitted %llu, released %llu, held %llu",
		   now.admitted, released_in_all(&now) + 0ULL, now.held);
	race_check(r, now.admitted + now.passed + now.refused == came,
		   "admit(): %llu came: %llu admitted, %llu passed, %llu refused",
		   came + 0ULL, now.admitted, now.passed, now.refused);
	return now;
}

#endif
