/* SPDX-License-Identifier: GPL-2.0 */
/* The runner's side of scenario.h: one process, one story. */
#ifndef UNDEAD_STAGE_H
#define UNDEAD_STAGE_H

#include <sys/signalfd.h>

#include "core/event.h"
#include "core/trace.h"
#include "scenario.h"

/**
 * struct stage - the runner
 * @sc:      the story
 * @events:  socket to the guardian
 * @ctl:     control file of the device, -1 without NEED_DEVICE
 * @sigchld: signalfd for SIGCHLD
 * @step:    number of the step under way
 * @failed:  an expectation did not hold; evidence has been sent
 * @actors, @nr_actors: the processes of the story
 * @gates, @nr_gates:   its gates, their points, the state of those held there
 * @told, @nr_told:     SIGCHLD seen so far
 * @sent, @nr_sent:     SIGCHLD sent by whomever to whomever, so far
 */
struct stage {
	const struct scenario *sc;
	int events;
	int ctl;
	int sigchld;
	int step;
	bool failed;
	struct actor actors[32];
	int nr_actors;
	struct {
		int fd;
		char state;
		unsigned int points;
	} gates[32];
	int nr_gates;
	struct signalfd_siginfo told[64];
	int nr_told;
	struct trace_signal sent[256];
	int nr_sent;
};

extern struct stage stage;

/*
 * Look through the tracepoint, too. Only when asked for: to switch it on and off
 * patches the code of the kernel, of which QEMU's emulation of two CPUs makes an
 * oops (int3) now and then.
 */
extern bool stage_trace;

/* A folder for what expect_verdict() has read, NAME for each scenario, or NULL. */
extern const char *stage_snapshots;

/**
 * stage_run() - be the runner
 * @sc: the story
 * @events: socket to the guardian
 * @life: lifeline of the guardian
 */
void stage_run(const struct scenario *sc, int events, int life)
	__attribute__((noreturn));

/* Send to the guardian; a runner without a guardian has no reason to live. */
void stage_send(const struct event *e);

/* Move what the signalfd has into stage.told. */
void stage_read_sigchld(void);

/* Send what /proc says of every actor. */
void stage_dump(void);

#endif
