// SPDX-License-Identifier: GPL-2.0
/* A thin user of libundead (lib/undead.h): options, signals, terminal, report. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "command.h"
#include "cmd-exec.h"
#include "lib/undead.h"

enum {
	OPT_TIMEOUT = OPT_OWN,
	OPT_KILL_AFTER,
	OPT_GIVE_UP,
	OPT_SIGNAL,
	OPT_REPORT,
	OPT_SETSID,
	OPT_GUARANTEE,
	OPT_INTERACTIVE,
};

/* --- the terminal ------------------------------------------------------- */

static struct terminal {
	int fd;
	bool ours; /* the command has it from us */
	bool known;
	struct termios was;
} tty = { .fd = -1 };

/* As a shell: only who has it can hand it over. */
static void terminal_open(struct undead_options *how)
{
	tty.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty.fd < 0)
		return;
	how->tty = tty.fd;
	how->flags |= UNDEAD_TTY;
	tty.ours = tcgetpgrp(tty.fd) == getpgrp();
	if (tty.ours)
		how->flags |= UNDEAD_FOREGROUND;
	tty.known = !tcgetattr(tty.fd, &tty.was);
}

static void terminal_take_back(void)
{
	sigset_t ttou, before;

	if (!tty.ours)
		return;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &before);
	tcsetpgrp(tty.fd, getpgrp());
	sigprocmask(SIG_SETMASK, &before, NULL);
	tty.ours = false;
}

/* Who was killed has not put it in order: no echo, perhaps. */
static void terminal_restore(void)
{
	if (tty.known && tcgetpgrp(tty.fd) == getpgrp())
		tcsetattr(tty.fd, TCSADRAIN, &tty.was);
}

/*
 * The terminal has stopped the command: then it has stopped the job, which the
 * shell knows by our group. In one that is orphaned nobody stops.
 */
static void stop_with_it(struct undead *u, int sig)
{
	terminal_take_back();
	kill(0, sig);
	tty.ours = tcgetpgrp(tty.fd) == getpgrp();
	undead_resume(u, tty.ours);
}

/* --- what happens ------------------------------------------------------- */

static void signalled(struct exec_run *run, int signals)
{
	struct signalfd_siginfo si;

	if (read(signals, &si, sizeof(si)) != sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGUSR1:
	case SIGUSR2:
		undead_signal(run->u, (int)si.ssi_signo);
		break;
	default:
		undead_cancel(run->u,
			      run->cancelled ? SIGKILL : (int)si.ssi_signo);
		run->cancelled = (int)si.ssi_signo;
	}
}

static int left_ms(const struct exec_run *run)
{
	int64_t left = run->deadline - now_ms();

	if (!run->deadline || run->timed_out)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* It was in time; that the rest is being ended is no time-out. */
static void leader_ended(struct exec_run *run)
{
	terminal_take_back();
	run->deadline = 0;
}

/* Return: UNDEAD_ENDED, UNDEAD_STUCK or -errno. */
static int attend(struct exec_run *run, int signals)
{
	struct pollfd p[] = {
		{ .fd = undead_fd(run->u), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	for (;;) {
		int event, n = poll(p, ARRAY_SIZE(p), left_ms(run));

		if (!n && !left_ms(run)) {
			run->timed_out = true;
			undead_cancel(run->u, 0);
		}
		if (n > 0 && p[1].revents)
			signalled(run, signals);
		event = undead_wait(run->u, 0);
		if (event == UNDEAD_STOPPED)
			stop_with_it(run->u, undead_report(run->u)->stopped);
		else if (event == UNDEAD_LEADER_ENDED)
			leader_ended(run);
		else if (event != -ETIMEDOUT && event != -EINTR)
			return event;
	}
}

/* --- options ------------------------------------------------------------ */

static int signal_of(const char *text)
{
	uint64_t n;

	if (!parse_number(text, NSIG - 1, &n) && n)
		return (int)n;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (int sig = 1; sig < NSIG; sig++) {
		const char *name = sigabbrev_np(sig);

		if (name && !strcasecmp(name, text))
			return sig;
	}
	return 0;
}

static enum undead_guarantee guarantee_of(const char *text)
{
	enum undead_guarantee g = UNDEAD_NONE;

	while (g != UNDEAD_BEST && strcmp(text, undead_guarantee_name(g)) != 0)
		g--;
	return g;
}

static int duration(const char *text, int *ms)
{
	uint64_t n;

	if (parse_duration(text, &n) || n > INT_MAX)
		return -EINVAL;
	*ms = (int)n;
	return 0;
}

static int wrong(const char *what, const char *text)
{
	usage_error(&cmd_exec, "'%s' is no %s", text, what);
	return EXEC_FAILED;
}

static int option(struct exec_run *run, struct undead_options *how, int c)
{
	int ms = 0;

	switch (c) {
	case OPT_TIMEOUT:
	case OPT_KILL_AFTER:
	case OPT_GIVE_UP:
		if (duration(optarg, &ms))
			return wrong("duration (500ms, 30s, 2m)", optarg);
		if (c == OPT_TIMEOUT)
			run->timeout_ms = ms;
		else if (c == OPT_KILL_AFTER)
			how->kill_after_ms = ms ? ms : -1;
		else
			how->give_up_ms = ms ? ms : 1;
		return 0;
	case OPT_SIGNAL:
		how->signal = signal_of(optarg);
		return how->signal ? 0 : wrong("signal (TERM, 15)", optarg);
	case OPT_GUARANTEE:
		how->guarantee = guarantee_of(optarg);
		return how->guarantee ?
			       0 :
			       wrong("guarantee (cgroup, pidns, none)", optarg);
	case OPT_REPORT:
		run->report = true;
		run->file = optarg ? optarg : run->file;
		return 0;
	case OPT_JSON:
		run->json = true;
		run->file = optarg ? optarg : run->file;
		return 0;
	case OPT_SETSID:
		how->flags |= UNDEAD_SETSID;
		return 0;
	default:
		run->interactive = true;
		return 0;
	}
}

/* --- the end ------------------------------------------------------------ */

/* As timeout(1): its parent is to see the signal. */
static int die_of(int sig)
{
	const struct rlimit no_core = { 0 };
	sigset_t set;

	if (sig == SIGKILL || sig == SIGSTOP)
		return 128 + sig;
	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + sig;
}

static int status_of(const struct exec_run *run, int event)
{
	const struct undead_report *r = undead_report(run->u);
	int sig = WIFSIGNALED(r->status) ? WTERMSIG(r->status) : 0;

	if (event == UNDEAD_STUCK)
		return EXEC_STUCK;
	if (event < 0)
		return EXEC_FAILED;
	if (run->timed_out)
		return sig == SIGKILL ? 128 + SIGKILL : EXEC_TIMED_OUT;
	return sig ? 128 + sig : WEXITSTATUS(r->status);
}

static int conclude(struct exec_run *run, int event)
{
	const struct undead_report *r = undead_report(run->u);
	int status = status_of(run, event);

	terminal_take_back();
	if (r->stage >= UNDEAD_KILLED)
		terminal_restore();
	if (event < 0)
		complain(&cmd_exec,
			 event == -EOWNERDEAD ?
				 "the keeper (%d) was killed; what the guarantee '%s' promises for that is done" :
				 "the keeper (%d) cannot be heard, guarantee '%s'",
			 r->keeper, undead_guarantee_name(r->guarantee));
	if (r->exec_errno)
		complain(&cmd_exec, "cannot run '%s': %s", run->argv[0],
			 strerror(r->exec_errno));
	run->status = status;
	if (exec_report(run, event))
		status = EXEC_FAILED;
	undead_free(run->u);
	if (status > 128 && !run->timed_out && event == UNDEAD_ENDED &&
	    WIFSIGNALED(r->status))
		return die_of(status - 128);
	return status;
}

static int run_it(struct exec_run *run, struct undead_options *how)
{
	static const int sigs[] = { SIGINT,  SIGTERM, SIGHUP,
				    SIGQUIT, SIGUSR1, SIGUSR2 };
	static sigset_t before;
	_cleanup_close_ int signals = -1;
	sigset_t set;
	int err;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaddset(&set, sigs[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	how->sigmask = &before;
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!(how->flags & UNDEAD_SETSID))
		terminal_open(how);
	if (how->flags & UNDEAD_TTY && !run->interactive)
		how->flags |= UNDEAD_INTERRUPT;
	if (run->timeout_ms)
		run->deadline = now_ms() + run->timeout_ms;
	err = signals < 0 ? -errno : undead_start(&run->u, run->argv, how);
	if (err) {
		terminal_take_back();
		complain(&cmd_exec, "cannot start with guarantee '%s': %s%s",
			 undead_guarantee_name(how->guarantee), strerror(-err),
			 how->guarantee ?
				 "; --guarantee none needs nothing, without it the best to be had is taken" :
				 "");
		return EXEC_FAILED;
	}
	return conclude(run, attend(run, signals));
}

static int exec_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", optional_argument, NULL, OPT_JSON },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "kill-after", required_argument, NULL, OPT_KILL_AFTER },
		{ "give-up", required_argument, NULL, OPT_GIVE_UP },
		{ "signal", required_argument, NULL, OPT_SIGNAL },
		{ "report", optional_argument, NULL, OPT_REPORT },
		{ "setsid", no_argument, NULL, OPT_SETSID },
		{ "guarantee", required_argument, NULL, OPT_GUARANTEE },
		{ "interactive", no_argument, NULL, OPT_INTERACTIVE },
		{ 0 }
	};
	struct undead_options how = {
		.size = sizeof(how),
		.flags = UNDEAD_ALONE,
	};
	struct exec_run run = { 0 };
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) >= 0) {
		if (c == OPT_HELP) {
			fputs(cmd_exec.help, stdout);
			exec_in_force();
			return 0;
		}
		if (c == '?') {
			bad_option(&cmd_exec, argv);
			return EXEC_FAILED;
		}
		err = option(&run, &how, c);
		if (err)
			return err;
	}
	if (optind == argc) {
		usage_error(&cmd_exec, "which command?");
		return EXEC_FAILED;
	}
	run.argv = argv + optind;
	return run_it(&run, &how);
}

const struct command cmd_exec = {
	.name = "exec",
	.summary = "run a command so that nothing survives it",
	.help = "Usage: undead exec [OPTION...] [--] COMMAND [ARGUMENT...]\n\n"
		"Runs the command in a process group of its own. When it ends, at the\n"
		"time-out, on Ctrl-C and when undead exec itself is ended or killed, all that\n"
		"descends from it, setsid() and double forks included, is ended and reaped:\n"
		"politely first, then by SIGKILL. What even that does not end is explained, as\n"
		"by 'undead why'.\n\n"
		"  --timeout TIME     end it after so long (500ms, 30s, 2m; default: never)\n"
		"  --signal SIG       the polite one (TERM)\n"
		"  --kill-after TIME  SIGKILL so long after it (2s; 0: at once)\n"
		"  --give-up TIME     when for so long after SIGKILL nothing more has ended,\n"
		"                     report what is left and return (5s)\n"
		"  --setsid           a session of its own, without the terminal\n"
		"  --interactive      Ctrl-C is the command's affair: for a shell, an editor\n"
		"  --report[=FILE]    what was done, to stderr or FILE\n"
		"  --json[=FILE]      the same as JSON (docs/json.md)\n"
		"  --guarantee G      what holds when a process of ours is killed by SIGKILL:\n"
		"    cgroup   a cgroup v2 of its own. All is ended when undead exec is killed,\n"
		"             and when its keeper is; both at once: only the command is\n"
		"    pidns    a pid namespace with /proc and mounts of its own. All is ended,\n"
		"             also when both are killed at once\n"
		"    none     as cgroup, but what forks faster than it is found may outrun it,\n"
		"             and who is not ours to signal (setuid) survives\n"
		"    default  the first of them that is to be had (pidns: for root only)\n"
		"  -h, --help         this text\n\n"
		"The terminal is handed over and taken back as a shell does. A second SIGINT or\n"
		"SIGTERM skips the polite part. SIGUSR1 and SIGUSR2 are passed on.\n\n"
		"Examples:\n"
		"  undead exec --timeout 30s -- git remote update\n"
		"  undead exec --timeout 5m --report -- make check\n"
		"  undead exec --guarantee pidns --json=/run/report.json -- ./untrusted-test\n\n"
		"Exit status, as of timeout(1): the command's, 128+n when signal n has ended it;\n"
		"124 timed out; 137 that, and it took SIGKILL; 126, 127 the command cannot be\n"
		"run, is not found; 125 undead exec failed, usage included. And 123: something\n"
		"could not be ended; it is explained on stderr.\n",
	.run = exec_main,
};
