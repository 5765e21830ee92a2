// SPDX-License-Identifier: GPL-2.0
/*
 * The zombie that everybody knows: the parent R does not wait. Its child C has
 * taken memory; dead, it has none, and nothing but its slot is left. kill -9
 * is no use; only the end of R is: the adopter waits.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../core/proc.h"
#include "../scenario.h"

#define MEMORY (16L << 20)

static void expect_no_memory(struct actor *c)
{
	struct proc_status st;
	char text[256] = "";

	if (proc_status(c->pid, 0, &st))
		broken("%s %d is gone", c->name, c->pid);
	expect(st.vm_size_kb < 0 && st.vm_rss_kb < 0,
	       "exit_mm(): the address space went before the zombie came",
	       "Vm lines of %s %d: %s", c->name, c->pid,
	       st.vm_size_kb < 0 ? "none" : "present");
	expect(proc_read(c->pid, 0, "cmdline", text, sizeof(text)) == 0,
	       "get_task_mm() finds none: ps shows [comm]",
	       "cmdline of %s %d: \"%s\"", c->name, c->pid, text);
	expect_equal(st.threads, 1, "Threads of C",
		     "release_task() has not run: the last one is still counted");
}

static void play(void)
{
	struct actor *r, *c;
	struct proc_status st;

	step("C, a child of R, takes 16 MiB");
	r = spawn("R");
	c = spawn_by(r, "C");
	expect_equal(ask(leader(c), order_use_memory, MEMORY, 0), 0,
		     "C: mmap() and memset()", "handle_mm_fault()");
	if (proc_status(c->pid, 0, &st))
		broken("C is gone");
	expect(st.vm_rss_kb >= MEMORY / 1024, "handle_mm_fault()",
	       "VmRSS of C: %ld kB", st.vm_rss_kb);

	step("C ends, R does not wait");
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): no autoreap, EXIT_ZOMBIE");
	expect_no_memory(c);

	step("kill -9 of C is no use");
	send_signal(c, SIGKILL);
	barrier();
	expect_state(leader(c), 'Z',
		     "complete_signal(): nobody is left to take it");
	expect_equal(ask(leader(r), order_wait, c->pid,
			 WEXITED | WNOHANG | WNOWAIT),
		     (int64_t)c->pid << 24 | CLD_EXITED << 16 | 7,
		     "R could have it: waitid(WNOWAIT), packed",
		     "wait_task_zombie(): the code is that of its exit, not 9");
	expect_verdict(c);

	step("R is killed: the adopter gets C, waits, and it is gone");
	send_signal(r, SIGKILL);
	reap(r);
	expect_death(c, 7 << 8,
		     "reparent_leader(): a zombie is announced to its new parent");
	expect_gone(leader(c), "release_task()");
}

SCENARIO(zombie_maker) = {
	.name = "zombie-maker",
	.summary =
		"a parent that does not wait: its dead child stays until the parent ends",
	.needs = NEED_ROOT,
	.verdict = "parent-does-not-wait",
	.play = play,
};
