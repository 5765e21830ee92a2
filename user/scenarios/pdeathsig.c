// SPDX-License-Identifier: GPL-2.0
/*
 * The parent death signal: sent when the thread that forked ends, for each
 * thread of the child that has asked, with the rights of the dying one; fork
 * and a change of uid forget it. What becomes of it while a thread of the
 * parent is stuck is told by adoption-by-held-thread.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../core/proc.h"
#include "../scenario.h"

#define SOMEBODY 60123
#define ANOTHER  60124

static const char *const sent =
	"forget_original_parent(): pdeath_signal is sent";

static int64_t order_pdeathsig(const struct order *o)
{
	int sig = -1;

	(void)o;
	return prctl(PR_GET_PDEATHSIG, &sig) < 0 ? -errno : sig;
}

static void ask_for(struct thread *t, int sig)
{
	expect_equal(ask(t, order_sigaction, sig, DISPOSE_CATCH), 0,
		     "sigaction() in C", "do_sigaction()");
	expect_equal(ask(t, order_prctl, PR_SET_PDEATHSIG, sig), 0,
		     "PR_SET_PDEATHSIG in C", "prctl()");
}

static void expect_usr1(struct actor *c, int times, const char *why)
{
	expect_caught(leader(c), SIGUSR1, times, why);
}

static void end_parent(struct actor *r)
{
	send_signal(r, SIGKILL);
	reap(r);
}

static void parent_death(void)
{
	struct proc_status st;
	struct actor *r, *c;
	struct thread *t;

	step("C asks for SIGUSR1, a thread of it for SIGUSR2; R is killed");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask_for(leader(c), SIGUSR1);
	ask_for(thread(c, "T"), SIGUSR2);
	expect_usr1(c, 0, "R is alive");
	end_parent(r);
	expect_usr1(c, 1, sent);
	expect_caught(leader(c), SIGUSR2, 1,
		      "forget_original_parent(): for each thread of the child");

	step("the parent that counts is the thread that forked: it ends, R lives");
	r = spawn("R");
	t = thread(r, "T");
	c = spawn_from(t, "C");
	ask_for(leader(c), SIGUSR1);
	exit_thread(t, 5);
	expect_usr1(c, 1, sent);
	if (proc_status(c->pid, 0, &st))
		broken("C is gone");
	expect_equal(st.ppid, r->pid, "PPid of C",
		     "find_new_reaper(): another thread of R is alive");
}

SCENARIO(pdeathsig) = {
	.name = "pdeathsig",
	.summary =
		"the parent death signal: when the process dies, and when only the thread does",
	.needs = NEED_ROOT,
	.rows = "FP4.1 A46",
	.play = parent_death,
};

static void not_sent(void)
{
	const char *cleared = "commit_creds(): pdeath_signal := 0";
	struct actor *r, *c, *d;

	step("C has another uid, R is root and is killed");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask(leader(c), order_setuid, SOMEBODY, 0);
	ask_for(leader(c), SIGUSR1);
	end_parent(r);
	expect_usr1(c, 1, sent);

	step("C has another uid, R a third one: it may not send");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask(leader(c), order_setuid, SOMEBODY, 0);
	ask_for(leader(c), SIGUSR1);
	expect_equal(ask(leader(r), order_setuid, ANOTHER, 0), 0,
		     "setuid() in R", "it gives up CAP_KILL");
	end_parent(r);
	expect_usr1(c, 0, "check_kill_permission(): with the rights of R");

	step("C asks, then changes its uid: forgotten");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask_for(leader(c), SIGUSR1);
	ask(leader(c), order_setuid, SOMEBODY, 0);
	expect_equal(ask(leader(c), order_pdeathsig, 0, 0), 0,
		     "PR_GET_PDEATHSIG in C", cleared);
	end_parent(r);
	expect_usr1(c, 0, cleared);

	step("C asks, then forks D and makes a thread: they have not asked");
	c = spawn("C");
	ask_for(leader(c), SIGUSR1);
	d = spawn_by(c, "D");
	expect_equal(ask(leader(d), order_pdeathsig, 0, 0), 0,
		     "PR_GET_PDEATHSIG in D",
		     "copy_process(): pdeath_signal := 0");
	expect_equal(ask(thread(c, "T"), order_pdeathsig, 0, 0), 0,
		     "PR_GET_PDEATHSIG in T",
		     "copy_process(): pdeath_signal := 0");
	end_parent(c);
	expect_usr1(d, 0, "forget_original_parent(): it has none");
}

SCENARIO(pdeathsig_not_sent) = {
	.name = "pdeathsig-not-sent",
	.summary =
		"no parent death signal: not permitted, the uid changed, never asked",
	.needs = NEED_ROOT,
	.rows = "FP4 A46",
	.play = not_sent,
};
