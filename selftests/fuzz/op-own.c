// SPDX-License-Identifier: GPL-2.0
/* What S itself does: to its files, to its actors, to the machine. */
#include "ops.h"

bool op_open(int fd, const struct step *s)
{
	(void)fd;
	replace(&control[s->slot % CONTROLS], control_open());
	return control[s->slot % CONTROLS] >= 0;
}

bool op_close_control(int fd, const struct step *s)
{
	replace(&control[s->slot % CONTROLS], -1);
	return fd >= 0;
}

/* Short and long, in ms; a spinning thread has a CPU for itself: short. */
static __u64 deadline_of(const struct step *s, __u32 kind)
{
	if (kind == UNDEAD_KIND_SPIN)
		return 1 + s->b / 64 % 8;
	return s->b / 8 % 4 == 3 ? 1000 :
	       s->b / 8 % 4 == 2 ? 100 :
				   1 + s->b / 64 % 32;
}

bool op_create(int fd, const struct step *s)
{
	struct undead_gate_create arg = {
		.size = sizeof(arg),
		.flags = s->a % 8 ? 0 : UNDEAD_GATE_VMA_LOCK,
		.points = s->a % 4 ? (1U << UNDEAD_POINTS) - 1 :
				     s->a / 8 % (1U << UNDEAD_POINTS),
		.kind = s->a / 1024 % UNDEAD_KINDS,
	};
	int err;

	arg.deadline_ms = deadline_of(s, arg.kind);
	err = ioctl(fd, UNDEAD_IOC_GATE_CREATE, &arg);
	if (err && errno == EOPNOTSUPP) { /* a kernel without VMA lock */
		arg.flags = 0;
		err = ioctl(fd, UNDEAD_IOC_GATE_CREATE, &arg);
	}
	replace(&gate[s->slot % GATES], err ? -1 : arg.fd);
	for (int i = THREADS; i < ACTORS && !err && s->b % 4; i++)
		enrol(arg.fd, UNDEAD_ENROL_GROUP, actor[i].tid);
	return !err;
}

/* A process closes it last, unless others have it too; then a new one. */
bool op_hand_over(int fd, const struct step *s)
{
	struct job job = { .step = { .op = CLOSE }, .fd = fd };
	bool ok;

	ok = transfer(actor[THREADS + s->a % (ACTORS - THREADS)].sock, &job,
		      true);
	return ok & op_create(control[s->slot % CONTROLS], s);
}

bool op_close_gate(int fd, const struct step *s)
{
	replace(&gate[s->slot % GATES], -1);
	return fd >= 0;
}

bool op_dup(int fd, const struct step *s)
{
	if (gate[s->a % GATES] == fd)
		return fd >= 0;
	replace(&gate[s->a % GATES], fcntl(fd, F_DUPFD_CLOEXEC, 0));
	return fd >= 0;
}

bool op_enrol(int fd, const struct step *s)
{
	return !enrol(fd, s->a % 2 ? UNDEAD_ENROL_GROUP : 0,
		      actor[s->b % ACTORS].tid);
}

bool op_signal(int fd, const struct step *s)
{
	unsigned int i = s->a % ACTORS;

	(void)fd;
	return !syscall(SYS_tgkill, i < THREADS ? getpid() : actor[i].tid,
			actor[i].tid, SIGUSR1);
}

bool op_kill(int fd, const struct step *s)
{
	struct actor *a = &actor[THREADS + s->a % (ACTORS - THREADS)];

	(void)fd;
	return !kill(a->tid, SIGKILL);
}

bool op_spawn(int fd, const struct step *s)
{
	struct actor *a = &actor[THREADS + s->a % (ACTORS - THREADS)];

	(void)fd;
	replace(&a->sock, -1);
	start_process(a);
	return a->sock >= 0;
}

bool op_open_every(int fd, const struct step *s)
{
	if (s->a % 2)
		return set_parameter("open_every", "1");
	return !gate_open(fd, UNDEAD_OPEN_EVERY, NULL);
}

/*
 * Opening it for reading is the beginning of a hibernation, and its notifiers
 * run; closing it is the end. One at a time: EBUSY.
 */
bool op_suspend(int fd, const struct step *s)
{
	(void)s;
	fd = open(SNAPSHOT, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? !close(fd) : errno == EBUSY;
}

/*
 * One limit is low for a moment, for everybody, and S meets it unless another
 * player has just put it back.
 */
bool op_limit(int fd, const struct step *s)
{
	static const char *const name[] = { "max_gates", "max_holds" };
	static const int expected[] = { ENFILE, EUSERS };
	struct undead_hold_req arg = { .size = sizeof(arg) };
	unsigned int i = s->a % 2;
	int own = i ? gate_create(fd, POINT(IOCTL), 1) : -1, err;
	char value[16];

	snprintf(value, sizeof(value), "%u", s->b % 4);
	set_parameter(name[i], value);
	if (!i)
		own = gate_create(fd, 0, 1);
	err = own < 0 || (i && ioctl(own, UNDEAD_IOC_HOLD, &arg)) ? errno : 0;
	set_parameter(name[i], sh->default_limit[i]);
	close(own);
	if (err == expected[i])
		ADD(sh->limited[i], 1);
	return !err || err == expected[i];
}
