// SPDX-License-Identifier: GPL-2.0
/* What anybody may do: release, await, look. */
#include "ops.h"

bool op_release_hold(int fd, const struct step *s)
{
	struct undead_hold e[8];
	int n = list(fd, 0, e, 8);

	return n > 0 && !release(fd, UNDEAD_RELEASE_HOLD,
				 e[s->a % (unsigned int)n].id, NULL);
}

bool op_release_tid(int fd, const struct step *s)
{
	return !release(fd, UNDEAD_RELEASE_TID, (__u64)actor[s->a % ACTORS].tid,
			NULL);
}

bool op_release_oldest(int fd, const struct step *s)
{
	return !release(fd, UNDEAD_RELEASE_OLDEST, s->a % 4, NULL);
}

bool op_release_all(int fd, const struct step *s)
{
	(void)s;
	return !release(fd, UNDEAD_RELEASE_ALL, 0, NULL);
}

bool op_gate_open(int fd, const struct step *s)
{
	(void)s;
	return !gate_open(fd, 0, NULL);
}

bool op_rearm(int fd, const struct step *s)
{
	(void)s;
	return !rearm(fd);
}

bool op_await(int fd, const struct step *s)
{
	return !await(fd, s->a % 4, s->b % 4);
}

bool op_poll(int fd, const struct step *s)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&pfd, 1, (int)(s->a % 2)) >= 0 && !(pfd.revents & POLLNVAL);
}

bool op_info(int fd, const struct step *s)
{
	(void)s;
	return info(fd).abi == UNDEAD_ABI;
}

bool op_list(int fd, const struct step *s)
{
	struct undead_hold e[64];
	int n = list(fd, s->a % 8 ? 0 : s->b, e, s->a % 4 ? 64 : s->b % 64);

	for (int i = 0; i < n; i++) {
		if (e[i].point >= UNDEAD_POINTS || e[i].kind >= UNDEAD_KINDS ||
		    (i && e[i].id <= e[i - 1].id))
			return wrong("list: entry %d of %d: id %llu point %u kind %u",
				     i, n, (unsigned long long)e[i].id,
				     e[i].point, e[i].kind);
		ADD(sh->seen[e[i].point][e[i].kind], 1);
	}
	return n >= 0;
}

__u64 sum(const struct undead_counters *c)
{
	__u64 n = c->held;

	for (int i = 0; i < UNDEAD_REASONS; i++)
		n += c->released[i];
	return n;
}

bool op_counters(int fd, const struct step *s)
{
	struct undead_counters c = { .size = sizeof(c) };

	(void)s;
	if (ioctl(fd, UNDEAD_IOC_COUNTERS, &c))
		return false;
	if (sum(&c) != c.admitted)
		return wrong("counters: admitted %llu, held and released %llu",
			     (unsigned long long)c.admitted,
			     (unsigned long long)sum(&c));
	return true;
}
