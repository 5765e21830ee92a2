// SPDX-License-Identifier: GPL-2.0
/*
 * When the owner ends, its gates open for good; and not before.
 *
 * The owner is a child of the test; it makes a gate, has a child of its own
 * held there, sends us the gate, and then does what the test is about. The
 * held child is ours too once its parent is gone: we are a subreaper.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "device.h"

#define ROUNDS_MS 700 /* several looks of the lifeline at the owner */
#define HIGH_FD   100

FIXTURE(owner)
{
	int control; /* ours: only to look */
	int clock;   /* opens after ROUNDS_MS */
	int ours;    /* a socket to the owner */
	int theirs;
	pid_t pid;  /* the owner */
	pid_t held; /* the child that it has held */
	int gate;   /* its gate, for us too */
};

FIXTURE_SETUP(owner)
{
	int pair[2];

	MUST_ROOT();
	self->control = control_open();
	self->clock = gate_create(self->control, POINT(READ), ROUNDS_MS);
	ASSERT_LE(0, self->clock);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	self->ours = pair[0];
	self->theirs = pair[1];
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(owner)
{
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
	gate_open(self->gate, 0, NULL);
	while (wait(NULL) > 0)
		;
}

/* What goes with an fd: the pid of the held child. */
static int send_fd(int to, int fd, pid_t pid)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { &pid, sizeof(pid) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(to, &msg, MSG_NOSIGNAL) == sizeof(pid) ? 0 : -1;
}

static int receive_fd(int from, pid_t *pid)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { pid, sizeof(*pid) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct pollfd pfd = { .fd = from, .events = POLLIN };
	int fd;

	if (poll(&pfd, 1, AWAIT_MS) != 1 || recvmsg(from, &msg, 0) <= 0)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

struct owner {
	int control;
	int gate;
	int socket;
};

/* A child of the owner, held at its gate. */
static pid_t have_held(struct owner *me, bool keep_control)
{
	pid_t pid = fork();
	char c;

	if (!pid) {
		if (!keep_control)
			close(me->control);
		_exit(read(me->gate, &c, 1) ? errno : 0);
	}
	if (await(me->gate, 1, AWAIT_MS) || !await_state(pid, 'D'))
		_exit(99);
	return pid;
}

/* Starts an owner that ends up in act(). */
static bool start(struct __test_metadata *_metadata, FIXTURE_DATA(owner) * self,
		  bool child_keeps_control, void (*act)(struct owner *me))
{
	self->gate = -1;
	self->pid = fork();
	if (!self->pid) {
		struct owner me = { .control = control_open(),
				    .socket = self->theirs };
		pid_t held;

		close(self->control);
		close(self->clock);
		close(self->ours);
		me.gate = gate_create(me.control, POINT(READ), DEADLINE_MS);
		held = have_held(&me, child_keeps_control);
		if (send_fd(me.socket, me.gate, held))
			_exit(98);
		act(&me);
		_exit(0);
	}
	close(self->theirs);
	self->gate = receive_fd(self->ours, &self->held);
	EXPECT_LE(0, self->gate);
	return self->gate >= 0;
}

/* The held child goes on, and nobody did it but the owner's end. */
#define EXPECT_OPENED()                                                        \
	do {                                                                   \
		EXPECT_EQ(0, await_gone(self->held));                          \
		EXPECT_EQ(1,                                                   \
			  counters(self->gate).released[UNDEAD_REASON_OWNER]); \
		EXPECT_EQ(-1, rearm(self->gate));                              \
		EXPECT_EQ(ESHUTDOWN, errno);                                   \
	} while (0)

/* It is held still, after the lifeline has looked several times. */
#define EXPECT_STILL_HELD()                                              \
	do {                                                             \
		EXPECT_EQ(0, read(self->clock, &(char){ 0 }, 1));        \
		EXPECT_EQ(1, counters(self->clock)                       \
				     .released[UNDEAD_REASON_DEADLINE]); \
		EXPECT_EQ(0, await(self->gate, 1, 0));                   \
		EXPECT_EQ('D', state_of(self->held));                    \
	} while (0)

/* A zombie of a live parent counts as gone on. */
static int await_gone(pid_t pid)
{
	long until = now_ms() + AWAIT_MS;
	char state;

	for (bool late = false; (state = state_of(pid)) && state != 'Z';
	     late = now_ms() > until) {
		if (late)
			return state;
		poll(NULL, 0, 1);
	}
	return 0;
}

static void stay(void)
{
	for (;;)
		pause();
}

static void do_exit(struct owner *me)
{
}

TEST_F(owner, exits)
{
	ASSERT_TRUE(start(_metadata, self, false, do_exit));
	EXPECT_OPENED();
}

static void be_killed(struct owner *me)
{
	kill(getpid(), SIGKILL);
	stay();
}

TEST_F(owner, is_killed)
{
	ASSERT_TRUE(start(_metadata, self, false, be_killed));
	EXPECT_OPENED();
}

static void crash(struct owner *me)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

TEST_F(owner, crashes)
{
	ASSERT_TRUE(start(_metadata, self, false, crash));
	EXPECT_OPENED();
}

/*
 * The held child has inherited the control file, so that it is not released:
 * only flush() sees that the owner let go of it.
 */
static void close_control(struct owner *me)
{
	close(me->control);
	stay();
}

TEST_F(owner, closes)
{
	ASSERT_TRUE(start(_metadata, self, true, close_control));
	EXPECT_OPENED();
}

static void replace_control(struct owner *me)
{
	dup2(me->socket, me->control);
	stay();
}

TEST_F(owner, replaces_the_fd)
{
	ASSERT_TRUE(start(_metadata, self, true, replace_control));
	EXPECT_OPENED();
}

static void do_exec(struct owner *me)
{
	execlp("sleep", "sleep", "1000", NULL);
}

TEST_F(owner, execs_with_close_on_exec)
{
	ASSERT_TRUE(start(_metadata, self, true, do_exec));
	EXPECT_OPENED();
}

static void exec_and_keep(struct owner *me)
{
	fcntl(me->control, F_SETFD, 0);
	do_exec(me);
}

TEST_F(owner, execs_and_keeps_the_fd)
{
	ASSERT_TRUE(start(_metadata, self, false, exec_and_keep));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

static void *stay_in_thread(void *unused)
{
	stay();
	return NULL;
}

static void exec_from_threads(struct owner *me)
{
	pthread_t thread;

	pthread_create(&thread, NULL, stay_in_thread, NULL);
	exec_and_keep(me);
}

TEST_F(owner, of_two_threads_execs_and_keeps_the_fd)
{
	ASSERT_TRUE(start(_metadata, self, false, exec_from_threads));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

static void close_a_copy(struct owner *me)
{
	close(dup(me->control));
	stay();
}

TEST_F(owner, closes_a_copy)
{
	ASSERT_TRUE(start(_metadata, self, false, close_a_copy));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

static void close_all_but_a_copy(struct owner *me)
{
	int copy = dup(me->control);

	close(me->control);
	me->control = copy;
	stay();
}

TEST_F(owner, closes_all_but_a_copy)
{
	ASSERT_TRUE(start(_metadata, self, false, close_all_but_a_copy));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

/* A child that was forked closes its copy, and ends: it is not the owner. */
static void fork_and_stay(struct owner *me)
{
	pid_t pid = fork();

	if (!pid) {
		close(me->control);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	stay();
}

TEST_F(owner, has_a_child_that_ends)
{
	ASSERT_TRUE(start(_metadata, self, false, fork_and_stay));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

static void leader_exits(struct owner *me)
{
	pthread_t thread;

	pthread_create(&thread, NULL, stay_in_thread, NULL);
	syscall(SYS_exit, 0);
}

TEST_F(owner, has_a_leader_that_ends)
{
	ASSERT_TRUE(start(_metadata, self, false, leader_exits));
	EXPECT_TRUE(await_state(self->pid, 'Z'));
	EXPECT_STILL_HELD();
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_OPENED();
}

/* exit_files() comes to the gate before it comes to the control file. */
static void renumber(struct owner *me)
{
	dup2(me->control, HIGH_FD);
	close(me->control);
}

TEST_F(owner, has_the_gate_below_the_control_file)
{
	ASSERT_TRUE(start(_metadata, self, false, renumber));
	EXPECT_OPENED();
}

TEST_F(owner, is_inherited_by_the_held_child)
{
	ASSERT_TRUE(start(_metadata, self, true, do_exit));
	EXPECT_OPENED();
}

TEST_F(owner, is_inherited_and_killed)
{
	ASSERT_TRUE(start(_metadata, self, true, be_killed));
	EXPECT_OPENED();
}

static void *read_gate(void *gate)
{
	char c;

	return (void *)read(*(int *)gate, &c, 1);
}

/* The table of files is never let go of: only the slow look sees the end. */
static void be_held_oneself(struct owner *me)
{
	pthread_t thread;

	pthread_create(&thread, NULL, read_gate, &me->gate);
	stay();
}

TEST_F(owner, has_a_held_thread_of_its_own)
{
	ASSERT_TRUE(start(_metadata, self, false, be_held_oneself));
	EXPECT_EQ(0, await(self->gate, 2, AWAIT_MS));
	EXPECT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_EQ(0, await_gone(self->held));
	EXPECT_EQ(2, counters(self->gate).released[UNDEAD_REASON_OWNER]);
	EXPECT_NE(-1, ended(self->pid));
	self->pid = 0;
}

static int sharer(void *unused)
{
	stay();
	return 0;
}

/* CLONE_FILES keeps the table of files after the owner. */
static void share_files(struct owner *me)
{
	static char stack[16384] __attribute__((__aligned__(16)));
	pid_t pid = clone(sharer, stack + sizeof(stack), CLONE_FILES | SIGCHLD,
			  NULL);

	send_fd(me->socket, me->gate, pid);
	kill(getpid(), SIGKILL);
	stay();
}

TEST_F(owner, shares_its_files)
{
	pid_t pid;

	ASSERT_TRUE(start(_metadata, self, false, share_files));
	EXPECT_LE(0, receive_fd(self->ours, &pid));
	EXPECT_OPENED();
	EXPECT_EQ(0, kill(pid, SIGKILL));
}

/* Whoever has the control file then is not its owner. */
static void send_control_away(struct owner *me)
{
	send_fd(me->socket, me->control, 0);
}

TEST_F(owner, sends_the_fd_away)
{
	pid_t unused;
	int control;

	ASSERT_TRUE(start(_metadata, self, false, send_control_away));
	control = receive_fd(self->ours, &unused);
	EXPECT_LE(0, control);
	EXPECT_OPENED();
	EXPECT_EQ(-1, gate_create(control, POINT(READ), DEADLINE_MS));
	EXPECT_EQ(ESHUTDOWN, errno);
	EXPECT_EQ(0, close(control));
}

TEST_HARNESS_MAIN
