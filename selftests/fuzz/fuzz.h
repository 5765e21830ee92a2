/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the fuzzer share; fuzz.c says what it does. */
#ifndef FUZZ_H
#define FUZZ_H

#include "../device.h"

#define STEPS    200
#define CONTROLS 2
#define GATES    6
#define THREADS  3 /* actors: threads of S, then processes */
#define ACTORS   6
#define SNAPSHOT "/dev/snapshot"

struct step {
	__u8 op;
	__u8 actor; /* ACTORS: S itself */
	__u8 slot;
	__u8 flags;
	__u32 a;
	__u32 b;
};

#define STEP_WIDE   1 /* on the control file instead of the gate */
#define STEP_KEEP   2 /* the actor leaves the fd open */
#define STEP_THREAD 4 /* in a new thread of the actor */
#define STEP_FAULT  8 /* with a fault injected */

/* What is sent to an actor. */
struct job {
	struct step step;
	int fd;
};

struct actor {
	int sock;
	pid_t tid;
};

/* Of S; a process actor has what was there when it was forked. */
extern int control[CONTROLS];
extern int gate[GATES];
extern struct actor actor[ACTORS];

#define MAX_OPS 64

/* Of everybody. */
extern struct shared {
	__u64 next, finished, digest, wrong;
	__u64 longest_ms; /* of a sequence */
	__u64 done[MAX_OPS], ok[MAX_OPS];
	__u64 seen[UNDEAD_POINTS][UNDEAD_KINDS];
	__u64 faults, limited[2]; /* how many came */
	char default_limit[2][16];
	char what[256];
} * sh;

#define ADD(what, n) __atomic_fetch_add(&(what), n, __ATOMIC_RELAXED)
#define GET(what)    __atomic_load_n(&(what), __ATOMIC_RELAXED)

/* --- check.c: what was wrong, and the test points ------------------------- */

extern int points, failed;

/* Return: false. */
bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_point(bool ok, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
long read_long(const char *path);

/* Return: how many were done. */
__u64 print_operations(__u64 *ok);

void check_seen(void);
void check_reasons(const struct undead_counters *before,
		   const struct undead_counters *after, __u64 done);
void check_left(const struct undead_counters *before, unsigned int gates);
void check_rare(bool inject);

/* --- draw.c: the seed's steps --------------------------------------------- */

__u64 draw(__u64 *state);
__u64 first_state(__u64 seed, __u64 number);
struct step next_step(__u64 *state, int i);
__u64 mix(__u64 hash, const struct step *s);
__u64 digest(__u64 seed, __u64 first, __u64 end);
void print_step(const struct step *s);

/* --- play.c: a sequence, its player, all players -------------------------- */

void play_and_reap(__u64 seed, __u64 number, bool print);
pid_t start_player(__u64 seed, __u64 sequences);

/* Return: they are gone. */
bool supervise(pid_t *player, int players, __u64 sequences);

/* --- actor.c: who is sent what to do -------------------------------------- */

void replace(int *fd, int new);
bool transfer(int sock, struct job *job, bool send);
void start_thread(struct actor *a);
void start_process(struct actor *a);

#endif
