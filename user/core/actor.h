/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actors: the processes of a scenario, and their threads.
 *
 * An actor is a fork of the runner, or of another actor; order_exec makes it an
 * exec of the same program. Each of its threads serves a command socket: it takes an order (a function of this
 * program), runs it, replies with the result, and waits for the next one. An
 * order that does not return (a hold, a blocking wait) has no reply until it
 * does.
 *
 * Nothing outlives the runner. It holds the only write end of a pipe, the
 * lifeline; every actor has opened the read end anew with O_ASYNC and
 * F_SETSIG = SIGKILL, so when the runner ends, however it ends, pipe_release()
 * has the kernel send SIGKILL to each actor, whatever that is doing: stopped,
 * looping, or a delayed leader. Threads held by the device are let go by the
 * end of the owner, which is the runner too.
 *
 * The functions return 0 or more on success and -errno on failure.
 */
#ifndef UNDEAD_ACTOR_H
#define UNDEAD_ACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ACTOR_THREADS 16

struct order;
typedef int64_t (*order_fn)(const struct order *o);

/**
 * struct order - what a thread is told to do
 * @fn:  runs in that thread; what it returns is the reply
 * @fd:  a descriptor sent along, closed after @fn; -1: none
 * @arg: as @fn wants them
 * @name: of the process or thread to make
 */
struct order {
	order_fn fn;
	int fd;
	int64_t arg[2];
	char name[16];
};

/**
 * struct thread - one thread of an actor
 * @actor: its process
 * @name:  as the story calls it; also its comm
 * @tid:   its thread id
 * @cmd:   our end of its command socket
 */
struct thread {
	struct actor *actor;
	char name[16];
	pid_t tid;
	int cmd;
};

/**
 * struct actor - one process
 * @name:    as the story calls it
 * @pid:     its process id
 * @pidfd:   opened as soon as @pid is known
 * @nr:      threads made so far, the leader included
 * @threads: @threads[0] is the leader
 */
struct actor {
	char name[16];
	pid_t pid;
	int pidfd;
	int nr;
	struct thread threads[ACTOR_THREADS];
};

/**
 * lifeline_open() - in the process whose end shall end the others
 * @life: out: read end, for those who shall end
 * Return: the write end, or -errno. Nobody else may keep a copy of it.
 */
int lifeline_open(int *life);

/**
 * lifeline_join() - end when the last write end of @life does
 * @life: read end, inherited
 * Return: 0, -EPIPE when it has ended already, or -errno.
 */
int lifeline_join(int life);

/**
 * lifeline_join_group() - the same for all of this process group, from now on
 * @life: read end, inherited
 *
 * For who forks often: its children have nothing to do for it, and may exec, as
 * long as one of the group has not and they stay in it. send_sigio() to a group
 * and fork() exclude each other by tasklist_lock, so that no child escapes.
 * Return: as lifeline_join().
 */
int lifeline_join_group(int life);

/**
 * actors_init() - make the lifeline of this process; once, before any actor
 */
int actors_init(void);

/**
 * cleaner_start() - a process that undoes something when this one has ended
 * @undo: runs in it then, however we ended; actors may still be dying
 * @arg:  for @undo
 * Return: its pid, or -errno.
 */
pid_t cleaner_start(void (*undo)(const char *arg), const char *arg);

/**
 * actor_spawn() - fork a process that takes orders
 * @a:    where to keep it; its address must not change afterwards
 * @name: at most 15 characters
 * @by:   a thread of another actor that shall fork it, or NULL: we do
 */
int actor_spawn(struct actor *a, const char *name, struct thread *by);

/**
 * actor_clone() - the same by clone3(2)
 * @flags: CLONE_*; what makes parent and child share memory is refused
 *         (-EINVAL), as two threads would be on one stack: see actor_twin().
 *         With CLONE_VFORK @by takes no more orders until the child has called
 *         exec or ended. The init that CLONE_NEWPID makes ends with its parent
 *         too (PR_SET_PDEATHSIG).
 * @exit_signal: what the parent gets instead of SIGCHLD, 0: nothing
 */
int actor_clone(struct actor *a, const char *name, struct thread *by,
		uint64_t flags, int exit_signal);

/**
 * actor_twin() - a process that shares the memory of another
 * @by:  a thread of that other, its parent
 * @tid: where the kernel writes 0 when it ends, an address in @by; 0: nowhere
 * @flags: of clone(2), more than CLONE_VM: CLONE_PARENT
 *
 * It has the thread's TLS too, so it takes no orders: it waits for SIGUSR1 and
 * then ends by exit_group(TWIN_STATUS), or dies of another signal. In the pid
 * namespace of the runner only; TWINS at a time of one process.
 */
int actor_twin(struct actor *a, const char *name, struct thread *by,
	       int64_t tid, int flags);

#define TWIN_STATUS 6
#define TWINS       2

/**
 * actor_thread() - let the leader of @a make a thread that takes orders
 * @t: out
 */
int actor_thread(struct actor *a, const char *name, struct thread **t);

/**
 * thread_tell() - give an order and do not wait
 * @fd: sent along, stays open here; -1: none
 */
int thread_tell(struct thread *t, order_fn fn, int fd, int64_t arg0,
		int64_t arg1);

/**
 * thread_result() - the reply to the oldest order not yet fetched
 * @timeout_ms: -ETIMEDOUT after so long
 * @result: out: what the order returned
 * Return: 0, -ETIMEDOUT, -EPIPE when the thread has ended, or -errno.
 */
int thread_result(struct thread *t, int timeout_ms, int64_t *result);

/**
 * actor_execed() - the end of order_exec, given to @t
 * @timeout_ms: -ETIMEDOUT after so long
 * Return: 0: the leader, whose place @t has taken, takes orders as the new
 *         program; -EPIPE when @t has ended, or what execve() said.
 */
int actor_execed(struct thread *t, int timeout_ms);

/* Orders of general use; they return 0 or more, or -errno. */

int64_t order_read(const struct order *o);        /* read one byte of @fd */
int64_t order_pause(const struct order *o);       /* for ever, in pause() */
int64_t order_exit_thread(const struct order *o); /* SYS_exit arg[0] */
int64_t order_exit_group(const struct order *o);  /* status arg[0] */
/*
 * See actor_execed(); arg[0]: address of its environment, 0: as it is; arg[1]: of the
 * path of a copy of this program, 0: itself.
 */
int64_t order_exec(const struct order *o);

int64_t order_sigmask(const struct order *o); /* SIG_* arg[0], of arg[1] */
int64_t order_getppid(const struct order *o);
int64_t order_prctl(const struct order *o); /* arg[0], arg[1] */
int64_t order_setsid(const struct order *o);
int64_t order_setpgid(const struct order *o);   /* of arg[0] to arg[1] */
int64_t order_sigaction(const struct order *o); /* arg[0]; see below */

/*
 * arg[1] of order_sigaction(): a handler that counts, SA_NOCLDWAIT or not; it
 * has SA_RESTART, but for the one that interrupts.
 */
enum {
	DISPOSE_DEFAULT,
	DISPOSE_IGNORE,
	DISPOSE_CATCH,
	DISPOSE_CATCH_INTERRUPT,
	DISPOSE_CATCH_NOCLDWAIT,
	DISPOSE_DEFAULT_NOCLDWAIT,
};

int64_t order_caught(const struct order *o);     /* times arg[0] was caught */
int64_t order_setuid(const struct order *o);     /* arg[0] */
int64_t order_use_memory(const struct order *o); /* arg[0] bytes, each page */
int64_t order_unshare(const struct order *o);    /* arg[0]: CLONE_NEW* */

/* ptrace(2): arg[0] is WITH_DATA(request, data), arg[1] the thread. */
int64_t order_ptrace(const struct order *o);

#define WITH_DATA(request, data) ((int64_t)(data) << 32 | (int64_t)(request))

/*
 * waitid(2): arg[0] is a pid, 0 for P_ALL, or
 * WHO(idtype, id); arg[1] are the options. The reply is what siginfo says, as
 * WAITED() packs it, or 0 when that has no pid.
 */
int64_t order_wait(const struct order *o);

#define WHO(idtype, id) ((int64_t)(idtype) << 32 | (uint32_t)(id))

#define WAITED(pid, code, status) \
	((int64_t)(pid) << 24 | (int64_t)(code) << 16 | (status))
#define WAITED_PID(r)    ((pid_t)((r) >> 24))
#define WAITED_CODE(r)   ((int)((r) >> 16 & 0xff))
#define WAITED_STATUS(r) ((int)((r)&0xffff))

#endif
