// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead why' answers where ps, top and their like hang: the rows of
 * docs/proc-files.md in which reading /proc of one process does not end. Each is
 * made, the usual tools are seen stuck in it, and stay so while the doctor is
 * asked; released, they end.
 *
 * Which of them hang in exec depends on the kernel; the scenario proc-files
 * expects that file by file.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "device.h"

#define PAGE     4096
#define TIMES    5
#define LONG_MS  100000
#define LIMIT_MS 10000 /* it hangs; what it takes is in docs/proc-files.md */

/* --- whom they hang on --------------------------------------------------- */

static char *map(int gate)
{
	char *at =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gate, 0);

	if (at == MAP_FAILED)
		_exit(98);
	return at;
}

static void *touch(void *at)
{
	return (void *)(long)*(volatile char *)at;
}

static void *map_over(void *at)
{
	return mmap(at, PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void *move_over(void *at)
{
	void *old =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(old, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at);
}

static void in_thread(int gate, void *(*act)(void *at))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, act, map(gate)) ||
	    await(gate, 1, AWAIT_MS))
		_exit(97);
}

/* It reads under the mmap_lock, the leader waits to write, and all after that. */
static void fault_and_writer(int gate)
{
	in_thread(gate, touch);
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void replaced(int gate)
{
	in_thread(gate, map_over);
}

static void moved_over(int gate)
{
	in_thread(gate, move_over);
}

static void mapping_in_exec(int gate)
{
	map(gate);
	execlp("true", "true", NULL);
}

static void file_in_exec(int gate)
{
	execlp("true", "true", NULL);
}

static pid_t victim(int gate, void (*act)(int gate))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (enrol(gate, UNDEAD_ENROL_GROUP, 0))
		_exit(99);
	act(gate);
	for (;;)
		pause();
}

/* --- who hangs ----------------------------------------------------------- */

static const struct {
	const char *command;
	/* Whose reads cmdline, which hangs on every kernel where mmap() does. */
	enum { ALL, BUSYBOX, PROCPS, NOBODY } whose;
} tools[] = {
	{ "ps aux", ALL },
	{ "cat /proc/%d/cmdline", ALL },
	{ "top -b -n 1", BUSYBOX },
	{ "top -c -b -n 1", PROCPS },
	{ "pgrep -f nobody", PROCPS },
	{ "cat /proc/%d/environ", NOBODY }, /* ps e */
	{ "cat /proc/%d/stat", NOBODY },
	{ "cat /proc/%d/wchan", NOBODY },
};
#define TOOLS ((int)(sizeof(tools) / sizeof(*tools)))

static bool must_hang(int tool)
{
	bool procps = !access("/usr/bin/pgrep", X_OK);

	return tools[tool].whose == ALL ||
	       tools[tool].whose == (procps ? PROCPS : BUSYBOX);
}

static pid_t start(const char *tool, pid_t whom, FILE *to)
{
	char command[128];
	pid_t pid = fork();

	if (pid)
		return pid;
	snprintf(command, sizeof(command), "exec ");
	snprintf(command + 5, sizeof(command) - 5, tool, whom);
	dup2(fileno(to), STDOUT_FILENO);
	dup2(fileno(to), STDERR_FILENO);
	setenv("TERM", "dumb", 1);
	execlp("sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* The lock itself is not shown: in_sched_functions(). */
static bool stuck(pid_t pid)
{
	return state_of(pid) == 'D' &&
	       (on_stack(pid, "proc_pid_cmdline_read") ||
		on_stack(pid, "environ_") || on_stack(pid, "proc_single_show"));
}

static bool finished(pid_t pid)
{
	siginfo_t si = { 0 };

	return !waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) &&
	       si.si_pid == pid;
}

/* Return: is it, when it is either that or ready. */
static bool gets_stuck(pid_t pid)
{
	long until = now_ms() + AWAIT_MS;

	while (!finished(pid) && !stuck(pid) && now_ms() < until)
		poll(NULL, 0, 1);
	return !finished(pid);
}

/* --- the doctor ---------------------------------------------------------- */

/* Where it and its children are; without a fork(), which may wake somebody. */
static void tell_where(pid_t pid)
{
	static const char *const files[] = { "syscall", "stack", "children" };
	char path[64], text[4096];

	printf("# %d is %c\n", pid, state_of(pid));
	for (int i = 0; i < 3; i++) {
		FILE *f;
		size_t n;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, pid,
			 files[i]);
		f = fopen(path, "re");
		n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
		if (f)
			fclose(f);
		text[n] = '\0';
		for (char *l = strtok(text, "\n"); l; l = strtok(NULL, "\n"))
			printf("# %s: %s\n", files[i], l);
	}
	if (atoi(text))
		tell_where(atoi(text));
	fflush(stdout);
}

/* Return: how long it took, -1: it did not end. */
static long ask_once(pid_t whom, char *text, size_t size)
{
	long since = now_ms(), took;
	FILE *to = tmpfile();
	pid_t pid = start("undead why %d", whom, to);
	int status = -1;
	size_t n;

	/*
	 * A CPU of an emulated machine has been seen without a timer interrupt
	 * for nine seconds, on a host with too much to do.
	 */
	for (int i = 0; i < 3 && status < 0; i++)
		status = ended(pid);
	took = now_ms() - since;
	if (status < 0) {
		tell_where(pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	rewind(to);
	n = fread(text, 1, size - 1, to);
	text[n] = '\0';
	fclose(to);
	return status < 0 ? -1 : took;
}

static long ask(pid_t whom, char *text, size_t size)
{
	long best = 3 * AWAIT_MS;

	for (int i = 0; i < TIMES && best >= 0; i++) {
		long ms = ask_once(whom, text, size);

		best = ms < best ? ms : best;
	}
	return best;
}

static long ask_healthy(void)
{
	static char text[65536];
	pid_t pid = fork();
	long ms;

	while (!pid)
		pause();
	ms = ask(pid, text, sizeof(text));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ms;
}

/* --- the rows ------------------------------------------------------------ */

FIXTURE(hang)
{
	int control, gate;
	pid_t victim, pids[TOOLS];
	struct undead_hold hold;
	FILE *none;
	long ms; /* the last answer took */
};

FIXTURE_VARIANT(hang)
{
	__u32 points;
	void (*act)(int gate);
	bool exec; /* it depends on the kernel who hangs */
	const char *says, *killed;
};

#define MMAP_LOCK "with the lock of its address space (mmap_lock)"
#define IN_EXEC   "stuck inside execve()"

FIXTURE_VARIANT_ADD(hang, fault_and_writer){
	.points = POINT(FAULT),
	.act = fault_and_writer,
	.says = MMAP_LOCK,
};

FIXTURE_VARIANT_ADD(hang, replaced){
	.points = POINT(VMA_CLOSE),
	.act = replaced,
	.says = MMAP_LOCK,
	.killed = "is dying and waits in exit_mm()",
};

FIXTURE_VARIANT_ADD(hang, moved_over){
	.points = POINT(VMA_CLOSE),
	.act = moved_over,
	.says = MMAP_LOCK,
	.killed = "is dying and waits in exit_mm()",
};

FIXTURE_VARIANT_ADD(hang, mapping_in_exec){
	.points = POINT(VMA_CLOSE),
	.act = mapping_in_exec,
	.exec = true,
	.says = IN_EXEC,
	.killed = IN_EXEC,
};

FIXTURE_VARIANT_ADD(hang, file_in_exec){
	.points = POINT(FLUSH),
	.act = file_in_exec,
	.exec = true,
	.says = IN_EXEC,
	.killed = IN_EXEC,
};

FIXTURE_SETUP(hang)
{
	MUST_ROOT();
	self->none = fopen("/dev/null", "we");
	ASSERT_NE(NULL, self->none);
	self->control = control_open();
	ASSERT_LE(0, self->control);
	self->gate = gate_create(self->control, variant->points, LONG_MS);
	ASSERT_LE(0, self->gate);
	self->victim = victim(self->gate, variant->act);
	ASSERT_EQ(0, await(self->gate, 1, AWAIT_MS));
	ASSERT_EQ(1, list(self->gate, 0, &self->hold, 1));
	ASSERT_TRUE(await_state(self->victim,
				variant->act == replaced ||
						variant->act == moved_over ?
					'S' :
					'D'));
}

FIXTURE_TEARDOWN(hang)
{
	kill(self->victim, SIGKILL);
	gate_open(self->control, 0, NULL);
	EXPECT_LE(0, ended(self->victim));
}

/* Return: NULL, or an answer that does not say this, or blames another thread. */
static const char *wrong(const char *what, pid_t whom, pid_t tid, long *ms)
{
	static char text[65536];
	char blocker[64];

	*ms = ask(whom, text, sizeof(text));
	snprintf(blocker, sizeof(blocker), "\n   blocker   %d ", tid);
	return strstr(text, what) && strstr(text, blocker) ? NULL : text;
}

#define EXPECT_SAYS(what)                                                     \
	do {                                                                  \
		const char *text =                                            \
			wrong(what, self->victim, self->hold.tid, &self->ms); \
		EXPECT_EQ(NULL, text)                                         \
		{                                                             \
			TH_LOG("%s", text);                                   \
		}                                                             \
		EXPECT_LE(0, self->ms);                                       \
		EXPECT_GT(LIMIT_MS, self->ms);                                \
	} while (0)

static void tell_stuck(const bool *hangs)
{
	printf("# meanwhile stuck:");
	for (int i = 0; i < TOOLS; i++)
		if (hangs[i])
			printf(" %s;", tools[i].command);
	printf("\n");
	fflush(stdout);
}

TEST_F_TIMEOUT(hang, the_doctor_does_not, LONG_MS / 1000)
{
	long healthy = ask_healthy();
	bool hangs[TOOLS];

	for (int i = 0; i < TOOLS; i++)
		self->pids[i] =
			start(tools[i].command, self->victim, self->none);
	for (int i = 0; i < TOOLS; i++) {
		hangs[i] = gets_stuck(self->pids[i]);
		EXPECT_TRUE(hangs[i] || variant->exec || !must_hang(i))
		{
			TH_LOG("not stuck: %s", tools[i].command);
		}
	}
	EXPECT_SAYS(variant->says);
	printf("# answered in %ld ms, of who is well in %ld\n", self->ms,
	       healthy);
	/* Others may have been so in passing. */
	for (int i = 0; i < TOOLS; i++) {
		hangs[i] = stuck(self->pids[i]);
		EXPECT_TRUE(hangs[i] || variant->exec || !must_hang(i))
		{
			TH_LOG("not stuck any more: %s", tools[i].command);
		}
	}
	tell_stuck(hangs);
	if (variant->killed) {
		EXPECT_EQ(0, kill(self->victim, SIGKILL));
		EXPECT_TRUE(await_state(self->victim, 'D'));
		EXPECT_SAYS(variant->killed);
		printf("# killed, and answered in %ld ms\n", self->ms);
	}
	fflush(stdout);
	EXPECT_EQ(0, gate_open(self->gate, 0, NULL));
	for (int i = 0; i < TOOLS; i++)
		EXPECT_LE(0, ended(self->pids[i]));
}

TEST_HARNESS_MAIN
