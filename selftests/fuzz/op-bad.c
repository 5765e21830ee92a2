// SPDX-License-Identifier: GPL-2.0
/* Invalid calls: what is called, on which file, and how it must fail. */
#include <limits.h>

#include "ops.h"

union arg {
	__u32 size;
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
	struct {
		__u32 size;
		__u32 flags;
	} any;
	char room[256];
};

static const struct {
	__u32 size;
	unsigned int on;
} calls[] = {
	{ sizeof(struct undead_info), ON_CONTROL },
	{ sizeof(struct undead_gate_create), ON_CONTROL },
	{ sizeof(struct undead_hold_req), ON_GATE },
	{ sizeof(struct undead_release), ON_CONTROL | ON_GATE },
	{ sizeof(struct undead_open), ON_CONTROL | ON_GATE },
	{ sizeof(struct undead_rearm), ON_GATE },
	{ sizeof(struct undead_await), ON_GATE },
	{ sizeof(struct undead_list), ON_CONTROL | ON_GATE },
	{ sizeof(struct undead_counters), ON_CONTROL | ON_GATE },
	{ sizeof(struct undead_enrol), ON_GATE },
};

#define CALLS (sizeof(calls) / sizeof(*calls))

static bool must_fail(int fd, unsigned int nr, void *arg, int expected)
{
	int err = ioctl(fd, _IO(UNDEAD_IOC_MAGIC, nr), arg) ? errno : 0;

	if (err == expected || fd < 0 || faulty)
		return err == expected;
	return wrong("ioctl %u, invalid: %s, expected %s", nr, strerror(err),
		     strerror(expected));
}

/* Wrong in form: any call. */
bool op_bad_form(int fd, const struct step *s)
{
	unsigned int on = s->flags & STEP_WIDE ? ON_CONTROL : ON_GATE;
	unsigned int nr = s->b % CALLS;
	union arg arg = { .size = calls[nr].size };

	if (!(calls[nr].on & on))
		return must_fail(fd, nr, &arg, ENOTTY);
	switch (s->a % 6) {
	case 0:
		arg.size = s->b / CALLS % calls[nr].size;
		return must_fail(fd, nr, &arg, EINVAL);
	case 1:
		arg.any.flags = 1U << (2 + s->b / CALLS % 30);
		return must_fail(fd, nr, &arg, EINVAL);
	case 2:
		arg.room[arg.size] = 1;
		arg.size += 8;
		return must_fail(fd, nr, &arg, E2BIG);
	case 3:
		arg.size = PAGE + 1 + s->b / 2;
		return must_fail(fd, nr, &arg, E2BIG);
	case 4:
		return must_fail(fd, nr, NULL, EFAULT);
	default:
		return must_fail(fd, CALLS + s->b % (256 - CALLS), &arg,
				 ENOTTY);
	}
}

/* Wrong in what it says. */
bool op_bad_gate_call(int fd, const struct step *s)
{
	union arg arg = { 0 };

	switch (s->a % 6) {
	case 0:
		arg.release = (struct undead_release){
			.size = sizeof(arg.release),
			.what = UNDEAD_RELEASE_ALL + 1 + s->b % 1000,
		};
		return must_fail(fd, 3, &arg, EINVAL);
	case 1:
		arg.release = (struct undead_release){
			.size = sizeof(arg.release),
			.what = s->b % 2,
			.id = ULLONG_MAX - s->b,
		};
		return must_fail(fd, 3, &arg, ESRCH);
	case 2:
		arg.release = (struct undead_release){
			.size = sizeof(arg.release),
			.what = UNDEAD_RELEASE_ALL,
			.id = 1 + s->b / 2,
		};
		return must_fail(fd, 3, &arg, EINVAL);
	case 3:
		arg.await = (struct undead_await){
			.size = sizeof(arg.await),
			.timeout_ms = 1ULL << 31,
		};
		return must_fail(fd, 6, &arg, ERANGE);
	case 4:
		arg.list = (struct undead_list){
			.size = sizeof(arg.list),
			.entry_size = s->b % sizeof(struct undead_hold),
		};
		return must_fail(fd, 7, &arg, EINVAL);
	default:
		arg.enrol = (struct undead_enrol){
			.size = sizeof(arg.enrol),
			.tid = INT_MIN + (int)(s->b % 99),
		};
		return must_fail(fd, 9, &arg, ESRCH);
	}
}

bool op_bad_create(int fd, const struct step *s)
{
	union arg arg = { .create = {
				  .size = sizeof(arg.create),
				  .deadline_ms = 1,
			  } };

	switch (s->a % 5) {
	case 0:
		arg.create.kind = UNDEAD_KINDS + s->b % 1000;
		return must_fail(fd, 1, &arg, EOPNOTSUPP);
	case 1:
		arg.create.points = 1U << (UNDEAD_POINTS + s->b % 25);
		return must_fail(fd, 1, &arg, EOPNOTSUPP);
	case 2:
		arg.create.deadline_ms = 0;
		return must_fail(fd, 1, &arg, EINVAL);
	case 3:
		arg.create.deadline_ms = ULLONG_MAX - s->b;
		return must_fail(fd, 1, &arg, ERANGE);
	default:
		arg.create.flags = UNDEAD_GATE_UNBOUNDED;
		arg.create.deadline_ms = 0;
		return must_fail(fd, 1, &arg, EPERM);
	}
}
