// SPDX-License-Identifier: GPL-2.0
/* The runner: sets the scene for a story and tells the guardian. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "core/await.h"
#include "core/dev.h"
#include "core/proc.h"
#include "stage.h"

struct stage stage = { .ctl = -1 };
bool stage_trace;
const char *stage_snapshots;

/* --- telling ------------------------------------------------------------ */

void stage_send(const struct event *e)
{
	if (send(stage.events, e, sizeof(*e), MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void tell_guardian(struct event *e, const char *fmt, va_list args)
{
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	stage_send(e);
}

void step(const char *fmt, ...)
{
	struct event e = { .type = EVENT_STEP, .number = ++stage.step };
	va_list args;
	char shown;

	va_start(args, fmt);
	tell_guardian(&e, fmt, args);
	va_end(args);
	if (recv(stage.events, &shown, 1, 0) != 1)
		_exit(1);
}

void note(const char *fmt, ...)
{
	struct event e = { .type = EVENT_NOTE };
	va_list args;

	va_start(args, fmt);
	tell_guardian(&e, fmt, args);
	va_end(args);
}

void broken(const char *fmt, ...)
{
	struct event e = { .type = EVENT_BROKEN };
	int err = errno;
	va_list args;

	stage_dump();
	errno = err; /* for %m */
	va_start(args, fmt);
	tell_guardian(&e, fmt, args);
	va_end(args);
	_exit(0);
}

void skip(const char *fmt, ...)
{
	struct event e = { .type = EVENT_SKIP };
	va_list args;

	va_start(args, fmt);
	tell_guardian(&e, fmt, args);
	va_end(args);
	_exit(0);
}

/* One file of a thread, into what is left of @text. */
static size_t dump_file(char *text, size_t size, struct thread *t,
			const char *file)
{
	int n = snprintf(text, size, "\n-- %s %d %s\n", t->name, t->tid, file);
	ssize_t r;

	if (n < 0 || (size_t)n + 1 >= size)
		return 0;
	r = proc_read(t->actor->pid, t->tid, file, text + n, size - (size_t)n);
	if (r < 0)
		r = snprintf(text + n, size - (size_t)n, "%s\n",
			     strerror((int)-r));
	return strlen(text);
}

/* Two files of every thread. */
static void dump_files(const char *file, const char *other)
{
	struct event e = { .type = EVENT_DUMP };

	for (int i = 0; i < stage.nr_actors; i++) {
		struct actor *a = &stage.actors[i];

		for (int j = 0; j < a->nr; j++) {
			size_t n = dump_file(e.text, sizeof(e.text),
					     &a->threads[j], file);

			dump_file(e.text + n, sizeof(e.text) - n,
				  &a->threads[j], other);
			stage_send(&e);
		}
	}
}

/*
 * lock_trace() of the last two waits for an exec that is stuck, until the
 * guardian ends it.
 */
void stage_dump(void)
{
	dump_files("status", "wchan");
	dump_files("syscall", "stack");
}

/* --- setting the scene -------------------------------------------------- */

static void look_after(enum event_type type, pid_t pid, const char *name)
{
	struct event e = { .type = type, .pid = pid };

	snprintf(e.text, sizeof(e.text), "%s", name);
	stage_send(&e);
}

void at_end(void (*undo)(const char *arg), const char *arg)
{
	pid_t pid = cleaner_start(undo, arg);

	if (pid < 0)
		broken("cannot make a cleaner: %s", strerror(-pid));
	look_after(EVENT_CLEANER, pid, "cleaner");
}

static void remove_file(const char *path)
{
	unlink(path);
}

void at_end_remove(const char *path)
{
	at_end(remove_file, path);
}

static struct actor *room_for(const char *name)
{
	if (stage.nr_actors == ARRAY_SIZE(stage.actors))
		broken("no room for another process (%s)", name);
	return &stage.actors[stage.nr_actors];
}

static struct actor *new_actor(const char *name, struct thread *by,
			       uint64_t flags, int exit_signal)
{
	struct actor *a = room_for(name);
	int err = actor_clone(a, name, by, flags, exit_signal);

	if (err == -EINVAL && flags)
		skip("this kernel's clone3() does not know flags %#llx",
		     (unsigned long long)flags);
	if (err)
		broken("cannot make process %s: %s", name, strerror(-err));
	stage.nr_actors++;
	look_after(EVENT_ACTOR, a->pid, name);
	return a;
}

struct actor *spawn_twin(struct thread *parent, const char *name, int64_t tid,
			 int flags)
{
	struct actor *a = room_for(name);
	int err = actor_twin(a, name, parent, tid, flags);

	if (err)
		broken("cannot make a twin %s of %s: %s", name, parent->name,
		       strerror(-err));
	stage.nr_actors++;
	look_after(EVENT_ACTOR, a->pid, name);
	return a;
}

struct actor *spawn(const char *name)
{
	return new_actor(name, NULL, 0, SIGCHLD);
}

struct actor *spawn_by(struct actor *parent, const char *name)
{
	return new_actor(name, leader(parent), 0, SIGCHLD);
}

struct actor *spawn_from(struct thread *parent, const char *name)
{
	return new_actor(name, parent, 0, SIGCHLD);
}

struct actor *spawn_clone(struct actor *parent, const char *name,
			  uint64_t flags, int exit_signal)
{
	return new_actor(name, parent ? leader(parent) : NULL, flags,
			 exit_signal);
}

struct thread *thread(struct actor *p, const char *name)
{
	struct thread *t;
	int err = actor_thread(p, name, &t);

	if (err)
		broken("cannot make thread %s of %s: %s", name, p->name,
		       strerror(-err));
	return t;
}

struct thread *leader(struct actor *p)
{
	return &p->threads[0];
}

int gate_of(unsigned int points, unsigned int kind)
{
	static const char states[UNDEAD_KINDS] = {
		[UNDEAD_KIND_UNINTERRUPTIBLE] = 'D',
		[UNDEAD_KIND_KILLABLE] = 'D',
		[UNDEAD_KIND_INTERRUPTIBLE] = 'S',
		[UNDEAD_KIND_IDLE] = 'I',
		[UNDEAD_KIND_IOWAIT] = 'D',
		[UNDEAD_KIND_SPIN] = 'R',
	};
	struct undead_info info;
	int fd = dev_info(stage.ctl, &info);

	if (!fd)
		fd = dev_gate(stage.ctl, points, kind, info.max_deadline_ms,
			      NULL);
	if (fd < 0 || stage.nr_gates == ARRAY_SIZE(stage.gates))
		broken("cannot make a gate: %s",
		       strerror(fd < 0 ? -fd : ENOSPC));
	stage.gates[stage.nr_gates].state = states[kind];
	stage.gates[stage.nr_gates].points = points;
	stage.gates[stage.nr_gates++].fd = fd;
	return fd;
}

int gate(void)
{
	return gate_of(1U << UNDEAD_POINT_READ | 1U << UNDEAD_POINT_IOCTL |
			       1U << UNDEAD_POINT_FAULT |
			       1U << UNDEAD_POINT_FLUSH,
		       UNDEAD_KIND_UNINTERRUPTIBLE);
}

static uint64_t held(int gate_fd)
{
	struct undead_counters c;
	int err;

	if (gate_fd < 0)
		return 0;
	err = dev_counters(gate_fd, &c);
	if (err)
		broken("cannot read the counters of a gate: %s",
		       strerror(-err));
	return c.held;
}

static int gate_nr(int gate_fd)
{
	int i = 0;

	while (i < stage.nr_gates && stage.gates[i].fd != gate_fd)
		i++;
	return i;
}

static bool in_exit_aio(void *arg)
{
	struct thread *t = arg;
	char stack[4096];

	return proc_read(t->actor->pid, t->tid, "stack", stack, sizeof(stack)) >
		       0 &&
	       strstr(stack, "exit_aio");
}

static bool is_listed(void *arg)
{
	struct thread *t = arg;
	_cleanup_free_ struct undead_hold *holds = NULL;
	ssize_t n = dev_list(stage.ctl, &holds);

	while (n > 0)
		if (holds[--n].tid == t->tid)
			return true;
	return false;
}

void await_held(struct thread *t, int gate_fd, uint64_t count)
{
	int nr = gate_nr(gate_fd), err = 0;
	char state = gate_fd < 0 ? 'D' : stage.gates[nr].state;

	if (gate_fd >= 0)
		err = dev_await(gate_fd, count, AWAIT_MS);
	else if (!await_true(is_listed, t, AWAIT_MS))
		err = -ETIMEDOUT;
	if (err)
		broken("%s %d is not held: %s", t->name, t->tid,
		       strerror(-err));
	/*
	 * A read in flight is counted long before. Not by status: that takes the
	 * address space, and we would wait in exit_aio() in its place.
	 */
	if (gate_fd >= 0 && stage.gates[nr].points == 1U << UNDEAD_POINT_AIO &&
	    !await_true(in_exit_aio, t, AWAIT_MS))
		broken("%s %d is not seen in exit_aio()", t->name, t->tid);
	/* The device counts it just before it sleeps. */
	if (await_state(t->actor->pid, t->tid, state, AWAIT_MS) != state)
		broken("%s %d is held but not seen in %c", t->name, t->tid,
		       state);
}

void hold_read(struct thread *t, int gate_fd)
{
	uint64_t before = held(gate_fd);
	int err = thread_tell(t, order_read, gate_fd, 0, 0);

	if (err)
		broken("%s %d takes no order: %s", t->name, t->tid,
		       strerror(-err));
	await_held(t, gate_fd, before + 1);
}

static int64_t order_own_files(const struct order *o)
{
	(void)o;
	return unshare(CLONE_FILES) < 0 ? -errno : 0;
}

static int64_t order_keep(const struct order *o)
{
	return fcntl(o->fd, F_DUPFD_CLOEXEC, 3) < 0 ? -errno : 0;
}

/* A gate that nobody else has, the runner neither; @fd: its control file. */
static int64_t order_own_gate(const struct order *o)
{
	struct undead_info info;
	int fd = dev_info(o->fd, &info);

	if (!fd)
		fd = dev_gate(o->fd, 1U << UNDEAD_POINT_RELEASE,
			      UNDEAD_KIND_UNINTERRUPTIBLE, info.max_deadline_ms,
			      NULL);
	return fd < 0 ? fd : dev_enrol(fd, 0);
}

static void *gate_page(int fd)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE),
			  PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* The kernel writes 0 there when the thread ends: the first touch. */
static int64_t order_tid_in_gate(const struct order *o)
{
	void *page = gate_page(o->fd);

	if (!page)
		return -errno;
	syscall(SYS_set_tid_address, page);
	return 0;
}

static int64_t order_map(const struct order *o)
{
	void *page = gate_page(o->fd);

	return page ? (int64_t)(uintptr_t)page : -errno;
}

static int64_t order_submit(const struct order *o)
{
	static char buffer[8];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)o->fd,
		.aio_buf = (uintptr_t)buffer,
		.aio_nbytes = sizeof(buffer),
	}, *list[] = { &cb };
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context) < 0 ||
	    syscall(SYS_io_submit, context, 1, list) < 0)
		return -errno;
	return 0;
}

void arm_exit(struct thread *t, int gate_fd, enum exit_point where)
{
	static const order_fn prepare[] = {
		[IN_MM_RELEASE] = order_tid_in_gate,
		[IN_FILES] = order_keep,
		[IN_AIO] = order_submit,
		[IN_MMAP] = order_map,
		[IN_TASK_WORK] = order_own_gate,
	};
	int fd = where == IN_TASK_WORK ? stage.ctl : gate_fd;
	int64_t result = 0;
	int err = 0;

	/* First: no other thread shall ever have the gate. */
	if (where == IN_FILES || where == IN_TASK_WORK)
		err = (int)ask(t, order_own_files, 0, 0);
	/* Who is not enrolled when it submits does not count. */
	if (where == IN_AIO)
		err = dev_enrol(gate_fd, t->tid);
	if (!err)
		err = thread_tell(t, prepare[where], fd, 0, 0);
	if (!err)
		err = thread_result(t, AWAIT_MS, &result);
	/* Not before: it has closed the descriptor that we sent by now. */
	if (!err && result >= 0 && where != IN_AIO && where != IN_TASK_WORK)
		err = dev_enrol(gate_fd, t->tid);
	if (err || result < 0)
		broken("cannot prepare %s %d to be held in do_exit(): %s",
		       t->name, t->tid, strerror(err ? -err : (int)-result));
}

void hold_in_exit(struct thread *t, int gate_fd, enum exit_point where,
		  int status)
{
	uint64_t before = held(gate_fd);

	arm_exit(t, gate_fd, where);
	exit_thread(t, status);
	/* What it submitted counts, and does not hold it before exit_aio(). */
	await_held(t, gate_fd, before + 1);
}

int64_t map_gate(struct thread *t, int gate_fd)
{
	int64_t page = 0;
	int err = thread_tell(t, order_map, gate_fd, 0, 0);

	if (!err)
		err = thread_result(t, AWAIT_MS, &page);
	/* Not before: it has closed the descriptor that we sent by now. */
	if (!err && page > 0)
		err = dev_enrol(gate_fd, t->tid);
	if (err || page <= 0)
		broken("%s %d cannot map a gate: %s", t->name, t->tid,
		       strerror(err ? -err : (int)-page));
	return page;
}

int64_t release(int gate_fd)
{
	int64_t n = dev_release(gate_fd, UNDEAD_RELEASE_ALL, 0);

	if (n < 0)
		broken("cannot release a gate: %s", strerror((int)-n));
	return n;
}

int64_t release_thread(struct thread *t)
{
	int64_t n =
		dev_release(stage.ctl, UNDEAD_RELEASE_TID, (uint64_t)t->tid);

	if (n < 0)
		broken("cannot release %s %d: %s", t->name, t->tid,
		       strerror((int)-n));
	return n;
}

/* It was alive and listening: if it is not, that was not the story. */
static void no_answer(struct thread *t, const char *what, int err)
	__attribute__((noreturn));

static void no_answer(struct thread *t, const char *what, int err)
{
	char state = await_state(t->actor->pid, t->tid, 'S', 0);

	if (!state || strchr("ZXTt", state))
		expect(false,
		       "get_signal(): ends or stops it for a signal, and none was sent",
		       "%s %d %s: it is %s%c", t->name, t->tid, what,
		       state ? "in " : "gone", state ? state : ' ');
	broken("%s %d %s: %s", t->name, t->tid, what, strerror(-err));
}

void tell(struct thread *t, order_fn fn, int64_t arg0, int64_t arg1)
{
	int err = thread_tell(t, fn, -1, arg0, arg1);

	if (err)
		no_answer(t, "takes no order", err);
}

int64_t ask(struct thread *t, order_fn fn, int64_t arg0, int64_t arg1)
{
	int64_t result;
	int err;

	tell(t, fn, arg0, arg1);
	err = thread_result(t, AWAIT_MS, &result);
	if (err)
		no_answer(t, "does not answer", err);
	return result;
}

void exit_thread(struct thread *t, int status)
{
	tell(t, order_exit_thread, status, 0);
}

void exit_group(struct thread *t, int status)
{
	tell(t, order_exit_group, status, 0);
}

void trace(struct thread *by, int request, struct thread *t, int64_t data)
{
	int64_t r = ask(by, order_ptrace, WITH_DATA(request, data), t->tid);

	if (r)
		broken("ptrace(%#x, %s %d) of %s: %s", (unsigned int)request,
		       t->name, t->tid, by->name, strerror((int)-r));
}

void expect_execed(struct thread *t, const char *why)
{
	int err = actor_execed(t, AWAIT_MS);

	expect(!err, why, "execve() by %s %d: %s", t->name, t->tid,
	       err ? strerror(-err) : "the new program answers");
}

bool kernel_before(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &a, &b);
	return a < major || (a == major && b < minor);
}

void send_signal(struct actor *p, int sig)
{
	int err = kill(p->pid, sig) < 0 ? errno : 0;

	/* A zombie takes a signal, too. */
	if (err == ESRCH)
		expect(false,
		       "kill_pid_info(): finds who has not been released",
		       "kill(%s %d, SIG%s): nobody there", p->name, p->pid,
		       sigabbrev_np(sig));
	if (err)
		broken("kill(%s %d, SIG%s): %s", p->name, p->pid,
		       sigabbrev_np(sig), strerror(err));
}

void send_thread(struct thread *t, int sig)
{
	if (syscall(SYS_tgkill, t->actor->pid, t->tid, sig) < 0)
		broken("tgkill(%s %d, SIG%s): %m", t->name, t->tid,
		       sigabbrev_np(sig));
}

void stage_read_sigchld(void)
{
	struct signalfd_siginfo si;

	while (stage.nr_told < (int)ARRAY_SIZE(stage.told) &&
	       read(stage.sigchld, &si, sizeof(si)) == sizeof(si))
		stage.told[stage.nr_told++] = si;
}

/* --- the life of the runner --------------------------------------------- */

/* A hold that ended by its gate's deadline means that the story lost it. */
static void expect_no_deadline(void)
{
	uint64_t lost = 0;

	for (int i = 0; i < stage.nr_gates; i++) {
		struct undead_counters c;

		if (!dev_counters(stage.gates[i].fd, &c))
			lost += c.released[UNDEAD_REASON_DEADLINE];
	}
	if (lost)
		expect_equal((int64_t)lost, 0, "holds ended by a deadline",
			     "every hold of a story is released by the story");
}

static void block_sigchld(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_SETMASK, &chld, NULL);
	stage.sigchld = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (stage.sigchld < 0)
		broken("signalfd: %m");
}

void stage_run(const struct scenario *sc, int events, int life)
{
	struct event e = { .type = EVENT_END };
	int err;

	stage.sc = sc;
	stage.events = events;
	prctl(PR_SET_NAME, "undead-runner");
	if (lifeline_join(life))
		_exit(1);
	/* Terminal signals go to the guardian; it ends us. */
	setsid();
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	block_sigchld();
	if (prctl(PR_SET_CHILD_SUBREAPER, !sc->adopted_by_init) < 0)
		broken("PR_SET_CHILD_SUBREAPER: %m");
	err = stage_trace ? trace_open() : 0;
	if (err)
		note("no view by tracepoint here: %s", strerror(-err));
	err = actors_init();
	if (err)
		broken("cannot make the lifeline: %s", strerror(-err));
	if (sc->needs & NEED_DEVICE) {
		stage.ctl = dev_open();
		if (stage.ctl < 0)
			skip("%s", dev_why(stage.ctl));
	}
	sc->play();
	expect_no_deadline();
	stage_send(&e);
	_exit(0);
}
