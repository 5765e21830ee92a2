// SPDX-License-Identifier: GPL-2.0
/*
 * A stop of the process begins while a thread of it is inside execve(), before
 * the others are killed: exec ends the stop as if there had been none.
 */
#include <signal.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/dev.h"
#include "../scenario.h"

static void play(void)
{
	struct thread *t, *u, *v;
	struct actor *p;
	int g = gate_of(1U << UNDEAD_POINT_FAULT, UNDEAD_KIND_UNINTERRUPTIBLE);
	int h = gate();

	if (kernel_before(6, 1))
		skip("on 5.10 exec leaves the stop of its thread pending: the new program stops");
	step("T of P calls exec and is held as the kernel counts its environment");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	v = thread(p, "V");
	hold_read(v, h);
	tell(t, order_exec, map_gate(t, g), 0);
	await_held(t, g, 1);
	expect_asleep_in(t, "execve", "count(): get_user() of envp[0]");

	step("U gets SIGSTOP: all stop but T, and V, asleep in a driver, so that the process has not");
	send_thread(u, SIGSTOP);
	expect_state(u, 'T', "do_signal_stop()");
	expect_state(leader(p), 'T', "do_signal_stop()");
	expect_state(t, 'D', "wait_event()");
	expect_no_event(p, WSTOPPED, "do_signal_stop(): group_stop_count is 2");

	step("T goes on, and waits for V, which dies without having stopped");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(u, "zap_other_threads(): SIGKILL wakes the stopped");
	expect_asleep_in(t, "begin_new_exec", "de_thread(): notify_count");
	expect_equal(release(h), 1, "threads released", "the gate held V");
	expect_execed(t, "zap_other_threads(): JOBCTL_PENDING_MASK is cleared");
	expect_gone(v, "zap_other_threads(): SIGKILL");
	expect_state(leader(p), 'S', "it takes orders");
	expect_no_event(p, WSTOPPED, "nothing has stopped");
	expect_no_sigchld(p, "nothing has stopped");

	step("SIGCONT finds no stop that it would have to tell of");
	send_signal(p, SIGCONT);
	expect_equal(ask(leader(p), order_getppid, 0, 0), getpid(),
		     "getppid() of P", "it has been through get_signal()");
	expect_no_sigchld(p, "zap_other_threads(): group_stop_count is 0");
	expect_no_event(p, WSTOPPED | WCONTINUED,
			"prepare_signal(): it was not stopped");
	exit_group(leader(p), 7);
	expect_death(p, 7 << 8, "do_group_exit()");
}

SCENARIO(exec_stopping) = {
	.name = "exec-stopping",
	.summary =
		"a stop begins while a thread is inside exec: the new program runs, nobody is told",
	.rows = "DT3.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.play = play,
};
