// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind at every point: the state that shows, and whether SIGKILL ends the
 * hold. Not every pair is what its names promise: a thread in do_exit() is not
 * sent signals any more. The table that this prints is the documentation.
 */
#include <sys/mman.h>

#include "kselftest.h"
#include "device.h"

#define PAGE        4096
#define PATIENCE_MS 300 /* what SIGKILL does, it does by then */

static char *map(int gate)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gate, 0);
}

static void do_read(int gate)
{
	char c;

	if (read(gate, &c, 1))
		_exit(1);
}

static void do_ioctl(int gate)
{
	struct undead_hold_req arg = { .size = sizeof(arg) };

	ioctl(gate, UNDEAD_IOC_HOLD, &arg);
}

static void do_fault(int gate)
{
	*(volatile char *)map(gate) = 'x';
}

static void do_munmap(int gate)
{
	munmap(map(gate), PAGE);
}

static void exit_with_mapping(int gate)
{
	map(gate);
}

static void do_close(int gate)
{
	close(gate);
}

static void exit_with_fd(int gate)
{
	(void)gate;
}

static const struct {
	const char *name;
	__u32 point;
	void (*act)(int gate);
	bool exiting;
} points[] = {
	{ "read", UNDEAD_POINT_READ, do_read, false },
	{ "ioctl", UNDEAD_POINT_IOCTL, do_ioctl, false },
	{ "fault", UNDEAD_POINT_FAULT, do_fault, false },
	{ "vma-close, munmap", UNDEAD_POINT_VMA_CLOSE, do_munmap, false },
	{ "vma-close, exit", UNDEAD_POINT_VMA_CLOSE, exit_with_mapping, true },
	{ "flush, close", UNDEAD_POINT_FLUSH, do_close, false },
	{ "flush, exit", UNDEAD_POINT_FLUSH, exit_with_fd, true },
	{ "release, exit", UNDEAD_POINT_RELEASE, exit_with_fd, true },
};

static const struct {
	const char *name;
	char state;
	bool dies; /* of SIGKILL, outside do_exit() */
} kinds[UNDEAD_KINDS] = {
	[UNDEAD_KIND_UNINTERRUPTIBLE] = { "uninterruptible", 'D', false },
	[UNDEAD_KIND_KILLABLE] = { "killable", 'D', true },
	[UNDEAD_KIND_INTERRUPTIBLE] = { "interruptible", 'S', true },
	[UNDEAD_KIND_IDLE] = { "idle", 'I', false },
	[UNDEAD_KIND_IOWAIT] = { "iowait", 'D', false },
	[UNDEAD_KIND_SPIN] = { "spin", 'R', false },
};

static int create(int control, __u32 kind, __u32 point)
{
	struct undead_gate_create arg = {
		.size = sizeof(arg),
		.points = 1U << point,
		.kind = kind,
		.deadline_ms = DEADLINE_MS,
	};

	return ioctl(control, UNDEAD_IOC_GATE_CREATE, &arg) ? -1 : arg.fd;
}

/* It has the only fd of the gate when it comes to its point. */
static pid_t victim(int gate, void (*act)(int gate))
{
	int go[2];
	pid_t pid;
	char c;

	if (pipe(go))
		return -1;
	pid = fork();
	if (!pid) {
		close(go[1]);
		if (enrol(gate, UNDEAD_ENROL_GROUP, 0) || read(go[0], &c, 1))
			_exit(2);
		act(gate);
		_exit(0);
	}
	await_state(pid, 'S');
	close(gate);
	close(go[0]);
	close(go[1]);
	return pid;
}

static bool held(int control, pid_t pid)
{
	struct undead_hold hold;

	return list(control, 0, &hold, 1) == 1 && hold.tid == pid;
}

static bool await_held(int control, pid_t pid)
{
	long until = now_ms() + AWAIT_MS;

	for (bool late = false; !held(control, pid); late = now_ms() > until) {
		if (late)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

/* Does SIGKILL end the hold? A gate with a deadline is the clock. */
static bool dies(int control, pid_t pid)
{
	int clock = gate_create(control, 1U << UNDEAD_POINT_READ, PATIENCE_MS);
	char c;

	kill(pid, SIGKILL);
	if (read(clock, &c, 1))
		return true;
	close(clock);
	return !held(control, pid);
}

static void try(int control, int kind, int p)
{
	int gate = create(control, kind, points[p].point);
	pid_t pid = victim(gate, points[p].act);
	bool is_held = await_held(control, pid);
	bool state = await_state(pid, kinds[kind].state);
	char seen = state_of(pid);
	bool died = dies(control, pid);
	bool right = died == (kinds[kind].dies && !points[p].exiting);

	if (!died)
		release(control, UNDEAD_RELEASE_TID, pid, NULL);
	right &= ended(pid) != -1;
	ksft_test_result(is_held && state && right,
			 "%s at %s: %c, SIGKILL %s\n", kinds[kind].name,
			 points[p].name, seen,
			 died ? "ends it" : "does nothing");
}

int main(void)
{
	const int n = sizeof(points) / sizeof(points[0]);
	int control, kind, p;

	ksft_print_header();
	if (access(DEVICE, R_OK | W_OK))
		ksft_exit_skip("needs the module and root\n");
	ksft_set_plan(UNDEAD_KINDS * n);
	control = control_open();
	for (kind = 0; kind < UNDEAD_KINDS; kind++)
		for (p = 0; p < n; p++)
			try(control, kind, p);
	ksft_finished();
}
