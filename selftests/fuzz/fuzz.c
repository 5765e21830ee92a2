// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz [--seed N] [--ops N] [--players N] [--replay SEQUENCE]: sequences of
 * operations on the device, valid and not, from several threads and processes.
 *
 * A sequence is STEPS operations drawn from the seed and its number alone. Its
 * process S, which owns the gates, does some of them and sends the others, with
 * the fd they are about, to actors: threads of S, and children of S. What an
 * actor cannot do now, because it is held, it does later: the same seed plays
 * the same operations, not the same schedule. S ends in one of several ways,
 * with threads held. A player, of which there are several, plays the next
 * sequence when S and all its actors are gone. Every gate has a deadline; the
 * supervisor ends the run when no sequence has ended for STUCK_MS.
 *
 * Where the kernel can inject faults, one operation of FAULTY has its nth
 * allocation or copy to or from user space fail, whatever nth is.
 *
 * Told to be wrong: an invalid call that does not fail as the header says,
 * counters that do not add up, a list out of order, an actor that crashed.
 * TAP on stdout; exit status 0, or 1 when a test point failed.
 */
#include <limits.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "../device.h"

#define STEPS       200
#define PLAYED      165 /* of them, at least: others die with who does them */
#define CONTROLS    2
#define GATES       6
#define THREADS     3 /* actors: threads of S, then processes */
#define ACTORS      6
#define MAX_PLAYERS 16
#define STUCK_MS    60000
#define PROGRESS_MS 5000
#define FAULTY      8
#define IMPLICIT_MS "20" /* deadline of read() on a control file */
#define PAGE        4096UL
#define SNAPSHOT    "/dev/snapshot"

struct step {
	__u8 op;
	__u8 actor; /* ACTORS: S itself */
	__u8 slot;
	__u8 flags;
	__u32 a;
	__u32 b;
};

#define STEP_WIDE   1 /* on the control file instead of the gate */
#define STEP_KEEP   2 /* the actor leaves the fd open */
#define STEP_THREAD 4 /* in a new thread of the actor */
#define STEP_FAULT  8 /* with a fault injected */

/* The first of ops[]. */
enum { READ, CLOSE, CREATE };

/* What is sent to an actor. */
struct job {
	struct step step;
	int fd;
};

struct actor {
	int sock;
	pid_t tid;
};

/* Of S; a process actor has what was there when it was forked. */
static int control[CONTROLS];
static int gate[GATES];
static struct actor actor[ACTORS];

#define MAX_OPS 64

/* Of everybody. */
static struct shared {
	__u64 next, finished, digest, wrong;
	__u64 longest_ms; /* of a sequence */
	__u64 done[MAX_OPS], ok[MAX_OPS];
	__u64 seen[UNDEAD_POINTS][UNDEAD_KINDS];
	__u64 faults, limited[2]; /* how many came */
	char default_limit[2][16];
	char what[256];
} * sh;

#define ADD(what, n) __atomic_fetch_add(&(what), n, __ATOMIC_RELAXED)
#define GET(what)    __atomic_load_n(&(what), __ATOMIC_RELAXED)

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
	va_list ap;

	if (ADD(sh->wrong, 1))
		return false;
	va_start(ap, format);
	vsnprintf(sh->what, sizeof(sh->what), format, ap);
	va_end(ap);
	return false;
}

static __u64 draw(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void replace(int *fd, int new)
{
	if (*fd >= 0)
		close(*fd);
	*fd = new;
}

/* ---------------------------------------------------------- injected faults */

static __thread bool faulty; /* this operation may fail for no reason */

static int fault_open(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

/* The nth place of this thread that can fail does; perhaps in here. 0: none. */
static void fault_arm(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	while (pwrite(fd, text, (size_t)len, 0) < 0)
		;
}

static bool fault_came(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
}

static bool can_inject(void)
{
	int fd = fault_open();

	close(fd);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	put("/sys/kernel/debug/failslab/verbose", "0");
	put("/sys/kernel/debug/fail_usercopy/verbose", "0");
	return fd >= 0;
}

/* A signal that ends a hold is what one may expect of it. */
static bool went_on(long ret)
{
	return ret >= 0 || errno == EINTR;
}

/* ------------------------------------------------ what an actor is told */

static bool op_read(int fd, const struct step *s)
{
	char c;

	(void)s;
	return went_on(read(fd, &c, 1));
}

static bool op_hold(int fd, const struct step *s)
{
	struct undead_hold_req arg = { .size = sizeof(arg) };

	(void)s;
	return went_on(ioctl(fd, UNDEAD_IOC_HOLD, &arg));
}

static bool op_nonblock(int fd, const struct step *s)
{
	bool ok = !fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);

	ok &= op_read(fd, s) || errno == EAGAIN;
	return ok & !fcntl(fd, F_SETFL, O_RDWR);
}

static char *map(int fd)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* Each end of a mapping: munmap(), MAP_FIXED, mremap(), the process's. */
static bool end_map(char *at, unsigned int how)
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	void *other;

	switch (how % 4) {
	case 0:
		return !munmap(at, PAGE);
	case 1:
		if (mmap(at, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0) != at)
			return false;
		return !munmap(at, PAGE);
	case 2:
		other = mmap(NULL, PAGE, PROT_READ, anon, -1, 0);
		if (mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   at) != at)
			return false;
		return !munmap(at, PAGE);
	default:
		return true;
	}
}

static bool op_map(int fd, const struct step *s)
{
	char *at = map(fd);

	return at != MAP_FAILED && end_map(at, s->a);
}

static bool op_touch(int fd, const struct step *s)
{
	volatile char *at = map(fd);

	if (at == MAP_FAILED)
		return false;
	at[s->b % PAGE] = 'x';
	return end_map((char *)at, s->a);
}

static bool op_copy(int fd, const struct step *s)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *at = map(fd);
	bool ok;

	ok = at != MAP_FAILED &&
	     (read(zero, at, 8) == 8 || errno == EINTR || errno == EFAULT);
	close(zero);
	return ok && end_map(at, s->a);
}

static bool op_aio(int fd, const struct step *s)
{
	static char buffer[8];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (__u32)fd,
		.aio_buf = (unsigned long)buffer,
		.aio_nbytes = sizeof(buffer),
	}, *list[] = { &cb };
	aio_context_t context = 0;
	bool ok;

	if (syscall(SYS_io_setup, 1, &context))
		return false;
	ok = syscall(SYS_io_submit, context, 1, list) == 1;
	/* io_destroy() waits for the request; else the end of the process does. */
	if (!ok || s->a % 2)
		syscall(SYS_io_destroy, context);
	return ok;
}

static bool op_enrol_self(int fd, const struct step *s)
{
	return !enrol(fd, s->a % 2 ? UNDEAD_ENROL_GROUP : 0, 0);
}

static bool op_close(int fd, const struct step *s)
{
	(void)s;
	return !close(dup(fd));
}

static bool op_fork(int fd, const struct step *s)
{
	pid_t pid = fork();

	if (!pid) {
		if (s->a % 2)
			enrol(fd, UNDEAD_ENROL_GROUP, 0);
		_exit(0);
	}
	return pid > 0;
}

/* The kernel writes into the mapping when the thread ends. */
static void *end_into_map(void *at)
{
	syscall(SYS_set_tid_address, at);
	syscall(SYS_exit, 0);
	return NULL;
}

static bool op_tid_address(int fd, const struct step *s)
{
	char *at = map(fd);
	pthread_t thread;

	(void)s;
	return at != MAP_FAILED &&
	       !pthread_create(&thread, NULL, end_into_map, at);
}

/* These do not return: they succeed. */
static bool op_exit(int fd, const struct step *s)
{
	if (s->a % 2)
		syscall(SYS_set_robust_list, map(fd), 24);
	ADD(sh->ok[s->op], 1);
	_exit(0);
}

static bool op_exec(int fd, const struct step *s)
{
	(void)fd;
	ADD(sh->ok[s->op], 1);
	execl("/proc/self/exe", "fuzz", "--exec", NULL);
	_exit(1);
}

/* ------------------------------------------------- what anybody may do */

static bool op_release_hold(int fd, const struct step *s)
{
	struct undead_hold e[8];
	int n = list(fd, 0, e, 8);

	return n > 0 && !release(fd, UNDEAD_RELEASE_HOLD,
				 e[s->a % (unsigned int)n].id, NULL);
}

static bool op_release_tid(int fd, const struct step *s)
{
	return !release(fd, UNDEAD_RELEASE_TID, (__u64)actor[s->a % ACTORS].tid,
			NULL);
}

static bool op_release_oldest(int fd, const struct step *s)
{
	return !release(fd, UNDEAD_RELEASE_OLDEST, s->a % 4, NULL);
}

static bool op_release_all(int fd, const struct step *s)
{
	(void)s;
	return !release(fd, UNDEAD_RELEASE_ALL, 0, NULL);
}

static bool op_gate_open(int fd, const struct step *s)
{
	(void)s;
	return !gate_open(fd, 0, NULL);
}

static bool op_rearm(int fd, const struct step *s)
{
	(void)s;
	return !rearm(fd);
}

static bool op_await(int fd, const struct step *s)
{
	return !await(fd, s->a % 4, s->b % 4);
}

static bool op_poll(int fd, const struct step *s)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLPRI };

	return poll(&pfd, 1, (int)(s->a % 2)) >= 0 && !(pfd.revents & POLLNVAL);
}

static bool op_info(int fd, const struct step *s)
{
	(void)s;
	return info(fd).abi == UNDEAD_ABI;
}

static bool op_list(int fd, const struct step *s)
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

static __u64 sum(const struct undead_counters *c)
{
	__u64 n = c->held;

	for (int i = 0; i < UNDEAD_REASONS; i++)
		n += c->released[i];
	return n;
}

static bool op_counters(int fd, const struct step *s)
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

/* Invalid calls: what is called, on which file, and how it must fail. */
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

#define ON_CONTROL 1
#define ON_GATE    2

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
static bool op_bad_form(int fd, const struct step *s)
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
static bool op_bad_gate_call(int fd, const struct step *s)
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

static bool op_bad_create(int fd, const struct step *s)
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

/* ------------------------------------------------------ what S itself does */

static void start_process(struct actor *a);
static bool transfer(int sock, struct job *job, bool send);

static bool op_open(int fd, const struct step *s)
{
	(void)fd;
	replace(&control[s->slot % CONTROLS], control_open());
	return control[s->slot % CONTROLS] >= 0;
}

static bool op_close_control(int fd, const struct step *s)
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

static bool op_create(int fd, const struct step *s)
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
static bool op_hand_over(int fd, const struct step *s)
{
	struct job job = { .step = { .op = CLOSE }, .fd = fd };
	bool ok;

	ok = transfer(actor[THREADS + s->a % (ACTORS - THREADS)].sock, &job,
		      true);
	return ok & op_create(control[s->slot % CONTROLS], s);
}

static bool op_close_gate(int fd, const struct step *s)
{
	replace(&gate[s->slot % GATES], -1);
	return fd >= 0;
}

static bool op_dup(int fd, const struct step *s)
{
	if (gate[s->a % GATES] == fd)
		return fd >= 0;
	replace(&gate[s->a % GATES], fcntl(fd, F_DUPFD_CLOEXEC, 0));
	return fd >= 0;
}

static bool op_enrol(int fd, const struct step *s)
{
	return !enrol(fd, s->a % 2 ? UNDEAD_ENROL_GROUP : 0,
		      actor[s->b % ACTORS].tid);
}

static bool op_signal(int fd, const struct step *s)
{
	unsigned int i = s->a % ACTORS;

	(void)fd;
	return !syscall(SYS_tgkill, i < THREADS ? getpid() : actor[i].tid,
			actor[i].tid, SIGUSR1);
}

static bool op_kill(int fd, const struct step *s)
{
	struct actor *a = &actor[THREADS + s->a % (ACTORS - THREADS)];

	(void)fd;
	return !kill(a->tid, SIGKILL);
}

static bool op_spawn(int fd, const struct step *s)
{
	struct actor *a = &actor[THREADS + s->a % (ACTORS - THREADS)];

	(void)fd;
	replace(&a->sock, -1);
	start_process(a);
	return a->sock >= 0;
}

static bool op_open_every(int fd, const struct step *s)
{
	if (s->a % 2)
		return set_parameter("open_every", "1");
	return !gate_open(fd, UNDEAD_OPEN_EVERY, NULL);
}

/*
 * Opening it for reading is the beginning of a hibernation, and its notifiers
 * run; closing it is the end. One at a time: EBUSY.
 */
static bool op_suspend(int fd, const struct step *s)
{
	(void)s;
	fd = open(SNAPSHOT, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? !close(fd) : errno == EBUSY;
}

/*
 * One limit is low for a moment, for everybody, and S meets it unless another
 * player has just put it back.
 */
static bool op_limit(int fd, const struct step *s)
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

#define BY_S       1
#define BY_THREAD  2
#define BY_PROCESS 4
#define BY_ACTOR   (BY_THREAD | BY_PROCESS)
#define BY_ANY     (BY_S | BY_ACTOR)

#define NO_FAULT 4 /* in .on: makes or ends what others rely on */

static const struct {
	const char *name;
	bool (*fn)(int fd, const struct step *s);
	unsigned int weight;
	unsigned int by;
	unsigned int on;
} ops[] = {
	[READ] = { "read", op_read, 160, BY_ACTOR, ON_GATE },
	[CLOSE] = { "dup, close", op_close, 30, BY_ACTOR, ON_GATE },
	[CREATE] = { "create", op_create, 15, BY_S, ON_CONTROL },
	{ "hold", op_hold, 80, BY_ACTOR, ON_GATE },
	{ "read control", op_read, 5, BY_ACTOR, ON_CONTROL },
	{ "read nonblock", op_nonblock, 5, BY_ACTOR, ON_GATE },
	{ "mmap", op_map, 30, BY_PROCESS, ON_GATE },
	{ "touch", op_touch, 50, BY_ACTOR, ON_GATE },
	{ "copy to map", op_copy, 20, BY_PROCESS, ON_GATE },
	{ "aio", op_aio, 20, BY_PROCESS, ON_GATE },
	{ "enrol self", op_enrol_self, 30, BY_PROCESS, ON_GATE },
	{ "fork", op_fork, 4, BY_PROCESS, ON_GATE },
	{ "tid address", op_tid_address, 5, BY_PROCESS, ON_GATE },
	{ "exit", op_exit, 6, BY_PROCESS, ON_GATE | NO_FAULT },
	{ "exec", op_exec, 4, BY_PROCESS, ON_GATE | NO_FAULT },
	{ "release hold", op_release_hold, 30, BY_ANY, ON_CONTROL | ON_GATE },
	{ "release tid", op_release_tid, 10, BY_ANY, ON_GATE },
	{ "release any tid", op_release_tid, 15, BY_ANY, ON_CONTROL },
	{ "release oldest", op_release_oldest, 30, BY_ANY,
	  ON_CONTROL | ON_GATE },
	{ "release all", op_release_all, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "open gate", op_gate_open, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "re-arm", op_rearm, 100, BY_S, ON_GATE },
	{ "await", op_await, 100, BY_S, ON_GATE },
	{ "poll", op_poll, 10, BY_ANY, ON_CONTROL | ON_GATE },
	{ "info", op_info, 10, BY_ANY, ON_CONTROL },
	{ "list", op_list, 30, BY_ANY, ON_GATE },
	{ "list all", op_list, 60, BY_ANY, ON_CONTROL },
	{ "counters", op_counters, 40, BY_ANY, ON_CONTROL | ON_GATE },
	{ "bad form", op_bad_form, 50, BY_ANY, ON_CONTROL | ON_GATE },
	{ "bad gate call", op_bad_gate_call, 25, BY_ANY, ON_GATE },
	{ "bad create", op_bad_create, 15, BY_ANY, ON_CONTROL },
	{ "open", op_open, 3, BY_S, ON_CONTROL },
	{ "close control", op_close_control, 1, BY_S, ON_CONTROL },
	{ "close gate", op_close_gate, 5, BY_S, ON_GATE },
	{ "hand over", op_hand_over, 30, BY_S, ON_GATE },
	{ "dup", op_dup, 5, BY_S, ON_GATE },
	{ "enrol", op_enrol, 20, BY_S, ON_GATE },
	{ "signal", op_signal, 60, BY_S, ON_GATE },
	{ "kill", op_kill, 5, BY_S, ON_GATE | NO_FAULT },
	{ "spawn", op_spawn, 10, BY_S, ON_GATE | NO_FAULT },
	{ "open every", op_open_every, 1, BY_S, ON_CONTROL },
	{ "suspend", op_suspend, 2, BY_S, ON_GATE | NO_FAULT },
	{ "limit", op_limit, 5, BY_S, ON_CONTROL | NO_FAULT },
};

#define OPS (sizeof(ops) / sizeof(*ops))

_Static_assert(OPS <= MAX_OPS, "room in struct shared");

static unsigned int weights(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < OPS; i++)
		n += ops[i].weight;
	return n;
}

/* All that is drawn is drawn here, and depends on nothing that happens. */
static struct step draw_step(__u64 *state)
{
	__u64 r = draw(state);
	struct step s = { .a = (__u32)draw(state), .b = (__u32)draw(state) };
	unsigned int w = (unsigned int)(r % weights()), by;

	while (w >= ops[s.op].weight)
		w -= ops[s.op++].weight;
	r >>= 20;
	by = ops[s.op].by;
	s.actor = ACTORS;
	if (!(by & BY_S) || (by != BY_S && r % 2))
		s.actor = by & BY_THREAD ? r / 2 % ACTORS :
					   THREADS + r / 2 % (ACTORS - THREADS);
	r >>= 8;
	s.slot = r & 15;
	r >>= 4;
	if (!(ops[s.op].on & ON_GATE) ||
	    (ops[s.op].on & ON_CONTROL && r % 16 == 0))
		s.flags |= STEP_WIDE;
	r >>= 4;
	if (s.actor >= THREADS && s.actor < ACTORS && r % 16 == 0)
		s.flags |= STEP_KEEP;
	r >>= 4;
	if (s.actor < ACTORS && r % 8 == 0)
		s.flags |= STEP_THREAD;
	r >>= 4;
	if (!(ops[s.op].on & NO_FAULT) && r % FAULTY == 0)
		s.flags |= STEP_FAULT;
	return s;
}

/*
 * Of an operation, fewer than 8 places; those of a fork are many more. A signal
 * waits, for its handler would be given what is to fail.
 */
static bool perform_with_fault(const struct step *s, int fd)
{
	int nth = fault_open();
	sigset_t usr1, old;
	bool ok;

	if (nth < 0)
		return ops[s->op].fn(fd, s);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, &old);
	faulty = true;
	fault_arm(nth, 1 + s->b / 16 % (s->a % 4 ? 8 : 64));
	ok = ops[s->op].fn(fd, s);
	if (fault_came(nth))
		ADD(sh->faults, 1);
	fault_arm(nth, 0);
	faulty = false;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	close(nth);
	return ok;
}

static void perform(const struct step *s, int fd)
{
	bool ok;

	ADD(sh->done[s->op], 1);
	ok = s->flags & STEP_FAULT ? perform_with_fault(s, fd) :
				     ops[s->op].fn(fd, s);
	ADD(sh->ok[s->op], ok);
}

/* ------------------------------------------------------------------ actors */

static void do_job(const struct job *job)
{
	perform(&job->step, job->fd);
	if (job->fd >= 0 && !(job->step.flags & STEP_KEEP))
		close(job->fd);
}

static void *job_thread(void *arg)
{
	do_job(arg);
	free(arg);
	return NULL;
}

static void do_job_in_thread(const struct job *job)
{
	struct job *copy = malloc(sizeof(*copy));
	pthread_attr_t attr;
	pthread_t thread;

	*copy = *job;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, job_thread, copy))
		free(copy);
	pthread_attr_destroy(&attr);
}

static bool transfer(int sock, struct job *job, bool send)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &job->step, sizeof(job->step) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (void *)room;
	ssize_t n;

	if (!send || job->fd >= 0) {
		msg.msg_control = room;
		msg.msg_controllen = sizeof(room);
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	if (send) {
		memcpy(CMSG_DATA(c), &job->fd, sizeof(int));
		return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
	}
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	job->fd = -1;
	if (n > 0 && msg.msg_controllen)
		memcpy(&job->fd, CMSG_DATA(c), sizeof(int));
	return n > 0;
}

static void act(int sock)
{
	struct job job;

	while (transfer(sock, &job, false)) {
		if (job.step.flags & STEP_THREAD)
			do_job_in_thread(&job);
		else
			do_job(&job);
	}
}

static void *actor_thread(void *sock)
{
	pid_t tid = gettid();

	if (write((int)(long)sock, &tid, sizeof(tid)) == sizeof(tid))
		act((int)(long)sock);
	return NULL;
}

static void start_thread(struct actor *a)
{
	pthread_t thread;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    pthread_create(&thread, NULL, actor_thread, (void *)(long)pair[1]) ||
	    read(pair[0], &a->tid, sizeof(a->tid)) != sizeof(a->tid))
		_exit(1);
	a->sock = pair[0];
}

/* Without S's ends of the others, or these would not see S's end. */
static void start_process(struct actor *a)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	a->tid = fork();
	if (!a->tid) {
		close(pair[0]);
		for (int i = 0; i < ACTORS; i++)
			replace(&actor[i].sock, -1);
		act(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	a->sock = pair[0];
}

/* ---------------------------------------------------------------- sequence */

static int fd_of(const struct step *s)
{
	return s->flags & STEP_WIDE ? control[s->slot % CONTROLS] :
				      gate[s->slot % GATES];
}

static void print_step(const struct step *s)
{
	char who[16] = "S";

	if (s->actor < ACTORS)
		snprintf(who, sizeof(who), "%s %u",
			 s->actor < THREADS ? "thread" : "process", s->actor);
	printf("# %-10s %-15s slot %-2u flags %u a %#x b %#x\n", who,
	       ops[s->op].name, s->slot, s->flags, s->a, s->b);
}

static void do_step(const struct step *s)
{
	struct job job = { .step = *s, .fd = fd_of(s) };

	if (s->actor == ACTORS)
		perform(s, job.fd);
	else if (actor[s->actor].sock >= 0)
		transfer(actor[s->actor].sock, &job, true);
}

static void begin(void)
{
	int i;

	for (i = 0; i < CONTROLS; i++)
		control[i] = control_open();
	for (i = 0; i < GATES; i++)
		gate[i] = -1;
	for (i = 0; i < ACTORS; i++)
		actor[i].sock = -1;
	for (i = 0; i < ACTORS; i++) {
		if (i < THREADS)
			start_thread(&actor[i]);
		else
			start_process(&actor[i]);
	}
}

/* Process actors are held while S ends. */
static void hold_all(void)
{
	struct job job = { .step.op = READ };
	int i;

	job.fd = gate_create(control[0], POINT(READ), 2000);
	for (i = THREADS; i < ACTORS; i++)
		if (actor[i].sock >= 0)
			transfer(actor[i].sock, &job, true);
	await(job.fd, 1, 20);
}

static void end(unsigned int how)
{
	hold_all();
	switch (how % 8) {
	case 0:
		for (int i = 0; i < CONTROLS; i++)
			gate_open(control[i], 0, NULL);
		break;
	case 1:
		for (int i = 0; i < CONTROLS; i++)
			replace(&control[i], -1);
		break;
	case 2:
		execl("/proc/self/exe", "fuzz", "--exec", NULL);
		break;
	case 3:
	case 4:
		kill(getpid(), SIGKILL);
		break;
	}
	_exit(0);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A sequence begins with gates, so that there is something to hold at. */
static void first_gate(struct step *s, int i)
{
	s->op = CREATE;
	s->actor = ACTORS;
	s->flags = STEP_WIDE;
	s->slot = (__u8)i;
}

static struct step next_step(__u64 *state, int i)
{
	struct step s = draw_step(state);

	if (i < GATES)
		first_gate(&s, i);
	return s;
}

static __u64 mix(__u64 hash, const struct step *s)
{
	for (unsigned int i = 0; i < sizeof(*s); i++)
		hash = (hash ^ ((const __u8 *)s)[i]) * 0x100000001b3ULL;
	return hash;
}

static __u64 first_state(__u64 seed, __u64 number)
{
	return draw(&seed) + number;
}

/* What the digest of a run must be: nothing is played. */
static __u64 digest(__u64 seed, __u64 first, __u64 end)
{
	__u64 sum = 0;

	for (__u64 n = first; n < end; n++) {
		__u64 state = first_state(seed, n), hash = n;

		for (int i = 0; i < STEPS; i++) {
			struct step s = next_step(&state, i);

			hash = mix(hash, &s);
		}
		sum += hash;
	}
	return sum;
}

static void play(__u64 seed, __u64 number, bool print)
{
	struct sigaction act = { .sa_handler = nothing };
	__u64 state = first_state(seed, number), hash = number;
	struct step s;

	sigaction(SIGUSR1, &act, NULL);
	begin();
	for (int i = 0; i < STEPS; i++) {
		s = next_step(&state, i);
		if (print)
			print_step(&s);
		hash = mix(hash, &s);
		do_step(&s);
	}
	ADD(sh->digest, hash);
	end((unsigned int)draw(&state));
}

/* ------------------------------------------------------------- supervision */

static void check_status(int status)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	/* SIGBUS: a fault that was refused, for there were too many holds. */
	if (!status || sig == SIGKILL || sig == SIGUSR1 || sig == SIGBUS)
		return;
	wrong("a process of ours ended with status %#x", (unsigned int)status);
}

static void play_and_reap(__u64 seed, __u64 number, bool print)
{
	long start = now_ms(), took;
	int status;

	fflush(stdout);
	if (!fork()) {
		play(seed, number, print);
		_exit(1);
	}
	while (waitpid(-1, &status, 0) > 0)
		check_status(status);
	took = now_ms() - start;
	if ((__u64)took > GET(sh->longest_ms))
		sh->longest_ms = (__u64)took;
	ADD(sh->finished, 1);
}

static pid_t start_player(__u64 seed, __u64 sequences)
{
	pid_t pid = fork();
	__u64 number;

	if (pid)
		return pid;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while ((number = ADD(sh->next, 1)) < sequences)
		play_and_reap(seed, number, false);
	_exit(0);
}

static void print_progress(long since, __u64 sequences)
{
	__u64 done = 0, finished = GET(sh->finished) + 1;
	__u64 ms = (__u64)(now_ms() - since) + 1;

	for (unsigned int i = 0; i < OPS; i++)
		done += GET(sh->done[i]);
	printf("# %llu %%: %llu operations, %llu/s, %llu s left\n",
	       (unsigned long long)(finished * 100 / (sequences + 1)),
	       (unsigned long long)done, (unsigned long long)(done * 1000 / ms),
	       (unsigned long long)(ms * (sequences + 1 - finished) / finished /
				    1000));
}

/* A player that ended by itself has left nothing: its last wait said ECHILD. */
static bool supervise(pid_t *player, int players, __u64 sequences)
{
	long begun = now_ms(), since = begun, printed = begun;
	__u64 before = 0;
	int left = players, status;

	while (left) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			check_status(status);
			left--;
			continue;
		}
		poll(NULL, 0, 20);
		if (now_ms() - printed > PROGRESS_MS) {
			printed = now_ms();
			print_progress(begun, sequences);
		}
		if (GET(sh->finished) != before) {
			before = GET(sh->finished);
			since = now_ms();
		} else if (now_ms() - since > STUCK_MS) {
			printf("# no sequence ended for %d ms:\n", STUCK_MS);
			fflush(stdout);
			system("undead status; grep -s State: /proc/[0-9]*/status | grep '[DR] ('; cat /proc/[0-9]*/stack");
			set_parameter("open_every", "1");
			for (int i = 0; i < players; i++)
				kill(player[i], SIGKILL);
			return false;
		}
	}
	return true;
}

static long read_long(const char *path)
{
	FILE *file = fopen(path, "re");
	long n = -1;

	if (file && fscanf(file, "%ld", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	return n;
}

/* The last reference of an fd that was under way may be put by a worker. */
static bool await_refcount(void)
{
	long until = now_ms() + AWAIT_MS;

	while (read_long("/sys/module/undead/refcnt")) {
		if (now_ms() > until)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

static int points, failed;

__attribute__((format(printf, 2, 3))) static void test_point(bool ok,
							     const char *format,
							     ...)
{
	va_list ap;

	printf("%sok %d ", ok ? "" : "not ", ++points);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	failed += !ok;
}

static __u64 print_operations(__u64 *ok)
{
	__u64 done = 0;

	*ok = 0;
	printf("# %-16s %9s %9s\n", "operation", "done", "succeeded");
	for (unsigned int i = 0; i < OPS; i++) {
		printf("# %-16s %9llu %9llu\n", ops[i].name,
		       (unsigned long long)sh->done[i],
		       (unsigned long long)sh->ok[i]);
		done += sh->done[i];
		*ok += sh->ok[i];
	}
	return done;
}

static void check_seen(void)
{
	static const char *const point[] = { "read",      "ioctl", "fault",
					     "vma-close", "flush", "release",
					     "aio" };
	int missing = 0;

	printf("# seen in lists:  uninter killabl interru    idle  iowait    spin\n");
	for (int p = 0; p < UNDEAD_POINTS; p++) {
		__u64 n = 0;

		printf("# %-14s", point[p]);
		for (int k = 0; k < UNDEAD_KINDS; k++) {
			printf(" %7llu", (unsigned long long)sh->seen[p][k]);
			n += sh->seen[p][k];
		}
		putchar('\n');
		missing += !n;
	}
	for (int k = 0; k < UNDEAD_KINDS; k++) {
		__u64 n = 0;

		for (int p = 0; p < UNDEAD_POINTS; p++)
			n += sh->seen[p][k];
		missing += !n;
	}
	test_point(!missing, "every point and every kind was seen held");
}

static void check_reasons(const struct undead_counters *before,
			  const struct undead_counters *after, __u64 done)
{
	static const char *const reason[] = { "request", "deadline", "owner",
					      "signal", "shutdown" };

	for (int i = 0; i < UNDEAD_REASONS; i++) {
		__u64 n = after->released[i] - before->released[i];

		if (i == UNDEAD_REASON_SHUTDOWN && access(SNAPSHOT, R_OK))
			printf("ok %d # SKIP no release by shutdown: a kernel without %s\n",
			       ++points, SNAPSHOT);
		else
			test_point(n >= done / 1000,
				   "released by %s: %llu, at least %llu",
				   reason[i], (unsigned long long)n,
				   (unsigned long long)done / 1000);
	}
}

static void check_left(const struct undead_counters *before, unsigned int gates)
{
	struct undead_counters after;
	int fd;

	test_point(await_refcount(), "nobody has the device open");
	fd = control_open();
	after = counters(fd);
	test_point(!after.held && info(fd).gates == gates,
		   "no hold and no gate is left");
	test_point(sum(&after) == after.admitted,
		   "admitted (%llu) is what was released",
		   (unsigned long long)(after.admitted - before->admitted));
	close(fd);
}

static void check_rare(bool inject)
{
	test_point(sh->limited[0] && sh->limited[1],
		   "limits were met: ENFILE %llu times, EUSERS %llu times",
		   (unsigned long long)sh->limited[0],
		   (unsigned long long)sh->limited[1]);
	if (inject)
		test_point(sh->faults, "allocations and copies failed: %llu",
			   (unsigned long long)sh->faults);
	else
		printf("ok %d # SKIP no fault is injected: a kernel without CONFIG_FAULT_INJECTION\n",
		       ++points);
}

static bool play_all(__u64 seed, __u64 sequences, int players)
{
	pid_t player[MAX_PLAYERS];
	bool gone;

	for (int i = 0; i < players; i++)
		player[i] = start_player(seed, sequences);
	gone = supervise(player, players, sequences);
	test_point(sh->digest == digest(seed, 0, sequences),
		   "the operations were those of the seed");
	return gone;
}

static void replay(__u64 seed, __u64 number, bool print)
{
	__u64 before = sh->digest;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	play_and_reap(seed, number, print);
	test_point(sh->digest - before == digest(seed, number, number + 1),
		   "sequence %llu, replayed, was the same",
		   (unsigned long long)number);
}

static void run(__u64 seed, __u64 nr_ops, int players, long long number)
{
	long tainted = read_long("/proc/sys/kernel/tainted");
	struct undead_counters before, after;
	__u64 sequences = (nr_ops + PLAYED - 1) / PLAYED, done, ok;
	bool inject = can_inject(), gone;
	struct utsname name;
	unsigned int gates;
	long start, took;
	int fd;

	fd = control_open();
	before = counters(fd);
	gates = info(fd).gates;
	close(fd);
	start = now_ms();
	gone = number >= 0 || play_all(seed, sequences, players);
	if (gone)
		replay(seed, number < 0 ? 0 : (__u64)number, number >= 0);
	took = now_ms() - start + 1;
	fd = control_open();
	after = counters(fd);
	close(fd);

	done = print_operations(&ok);
	printf("# seed %#llx digest %#llx: %llu sequences of %d, the longest %llu ms\n",
	       (unsigned long long)seed, (unsigned long long)sh->digest,
	       (unsigned long long)sh->finished, STEPS,
	       (unsigned long long)sh->longest_ms);
	test_point(gone, "no task of ours is left");
	check_left(&before, gates);
	test_point(!sh->wrong, "nothing was wrong%s%s", sh->wrong ? ": " : "",
		   sh->what);
	test_point(ok * 2 >= done, "at least half succeeded: %llu of %llu",
		   (unsigned long long)ok, (unsigned long long)done);
	if (number < 0) {
		check_seen();
		check_reasons(&before, &after, nr_ops);
		check_rare(inject);
		test_point(done >= nr_ops,
			   "%llu operations were done, at least %llu",
			   (unsigned long long)done,
			   (unsigned long long)nr_ops);
	}
	test_point(read_long("/proc/sys/kernel/tainted") == tainted,
		   "the kernel did not warn");
	printf("1..%d\n", points);
	uname(&name);
	printf("# summary: Linux %s: fuzz, seed %#llx: %llu operations in %ld s, %llu/s; %llu faults injected; %d of %d test points failed\n",
	       name.release, (unsigned long long)seed, (unsigned long long)done,
	       took / 1000, (unsigned long long)(done * 1000 / (__u64)took),
	       (unsigned long long)sh->faults, failed, points);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: fuzz [--seed N] [--ops N] [--players 1-%d] [--replay SEQUENCE]\n",
		MAX_PLAYERS);
	return 2;
}

int main(int argc, char **argv)
{
	__u64 seed = 1, nr_ops = 20000;
	long long number = -1;
	int players = 4;

	if (argc == 2 && !strcmp(argv[1], "--exec"))
		return 0;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--ops"))
			nr_ops = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--players"))
			players = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--replay"))
			number = strtoll(argv[i + 1], NULL, 0);
		else
			return usage();
	}
	if (players < 1 || players > MAX_PLAYERS)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n# seed %#llx\n", (unsigned long long)seed);
	if (access(DEVICE, R_OK | W_OK)) {
		printf("1..0 # SKIP needs the module and root\n");
		return 0;
	}
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || !set_parameter("deadline_ms", IMPLICIT_MS))
		return 1;
	snprintf(sh->default_limit[0], 16, "%ld",
		 read_long(PARAMETERS "max_gates"));
	snprintf(sh->default_limit[1], 16, "%ld",
		 read_long(PARAMETERS "max_holds"));
	run(seed, nr_ops, players, number);
	set_parameter("deadline_ms", "60000");
	return !!failed;
}
