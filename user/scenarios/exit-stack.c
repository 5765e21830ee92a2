// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel stack of a thread is charged to its cgroup until the thread ends,
 * reaped or not; the memory itself may stay until later.
 */
#include <stdlib.h>
#include <string.h>

#include "../cgroup.h"
#include "../core/await.h"

#define PROCESSES 4
#define THREADS   12 /* of each, beside its leader */

static const char *folder;

/* Bytes, or -1: the kernel does not count them. */
static int64_t stacks(void)
{
	char text[8192];
	const char *at;

	if (cgroup_read(folder, "memory.stat", text, sizeof(text)))
		return -1;
	at = strstr(text, "\nkernel_stack ");
	return at ? atoll(at + strlen("\nkernel_stack ")) : -1;
}

static bool counted(void *wanted)
{
	return stacks() >= *(int64_t *)wanted;
}

/*
 * What memory.stat says may be two seconds old, and some is kept back on each
 * CPU: MEMCG_CHARGE_BATCH.
 */
static bool half_gone(void *all)
{
	return stacks() <= *(int64_t *)all / 2;
}

static void play(void)
{
	int64_t all = PROCESSES * THREADS * 4096;
	struct actor *p[PROCESSES];
	bool seen;

	cgroup_enable("memory");
	folder = cgroup_make("");
	if (stacks() < 0)
		skip("memory.stat of a cgroup (v2) does not tell of stacks here");
	step("%d processes with %d threads each in a cgroup", PROCESSES,
	     THREADS + 1);
	for (int i = 0; i < PROCESSES; i++) {
		p[i] = spawn("P");
		cgroup_put(folder, p[i]);
		for (int j = 0; j < THREADS; j++)
			thread(p[i], "T");
	}
	seen = await_true(counted, &all, AWAIT_MS);
	all = stacks();
	expect(seen, "copy_process(): account_kernel_stack()",
	       "kernel_stack in memory.stat: %lld", (long long)all);

	step("they are zombies");
	for (int i = 0; i < PROCESSES; i++) {
		exit_group(leader(p[i]), 3);
		expect_state(leader(p[i]), 'Z', "exit_notify(): EXIT_ZOMBIE");
	}
	seen = await_true(half_gone, &all, AWAIT_MS);
	expect(seen, "do_exit(): exit_task_stack_account()",
	       "kernel_stack in memory.stat: %lld", (long long)stacks());
	for (int i = 0; i < PROCESSES; i++)
		reap(p[i]);
}

SCENARIO(exit_stack) = {
	.name = "exit-stack",
	.summary =
		"the kernel stack of a thread is charged until it ends, not until it is reaped",
	.needs = NEED_ROOT | NEED_VM,
	.play = play,
};
