// SPDX-License-Identifier: GPL-2.0
/* A sequence, from begin() to end(), its player, and the supervisor. */
#include <sys/prctl.h>

#include "ops.h"

#define STUCK_MS    60000
#define PROGRESS_MS 5000

int control[CONTROLS];
int gate[GATES];

/* ---------------------------------------------------------------- sequence */

static int fd_of(const struct step *s)
{
	return s->flags & STEP_WIDE ? control[s->slot % CONTROLS] :
				      gate[s->slot % GATES];
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

void play_and_reap(__u64 seed, __u64 number, bool print)
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

pid_t start_player(__u64 seed, __u64 sequences)
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

	for (unsigned int i = 0; i < op_count; i++)
		done += GET(sh->done[i]);
	printf("# %llu %%: %llu operations, %llu/s, %llu s left\n",
	       (unsigned long long)(finished * 100 / (sequences + 1)),
	       (unsigned long long)done, (unsigned long long)(done * 1000 / ms),
	       (unsigned long long)(ms * (sequences + 1 - finished) / finished /
				    1000));
}

/* A player that ended by itself has left nothing: its last wait said ECHILD. */
bool supervise(pid_t *player, int players, __u64 sequences)
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
