// SPDX-License-Identifier: GPL-2.0
/*
 * Figures of the module, measured inside; each prints one number for compare:
 *
 * holds cycle N ROUNDS all|tid  us per thread to be let go, return, and be held
 *                               again, N held, let go together or one by one
 * holds wake ROUNDS undead|eventfd  us from what wakes a reader to its return in
 *                               user space, the median
 * holds slab N read|aio         bytes of slab per hold, N held; for aio of
 *                               kmalloc() alone, the rest is the kernel's own
 */
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#include "../device.h"

#define LONG_MS    100000
#define STACK_SIZE (16 << 10)

static int control, gate, event;
static bool stop;

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "holds: %s: %m\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void await_held(__u64 n)
{
	if (await(gate, n, LONG_MS))
		fail("await");
}

static void *start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, fn, arg))
		fail("thread");
	pthread_attr_destroy(&attr);
	return arg;
}

/* cycle */

static void *cycling(void *tid)
{
	char c;

	*(pid_t *)tid = gettid();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		if (read(gate, &c, 1))
			fail("read");
	return NULL;
}

static void let_go(const pid_t *tid, int n, bool one_by_one)
{
	if (!one_by_one && release(gate, UNDEAD_RELEASE_ALL, 0, NULL))
		fail("release");
	for (int i = 0; i < n && one_by_one; i++)
		if (release(gate, UNDEAD_RELEASE_TID, (__u64)tid[i], NULL))
			fail("release");
}

static double cycle(int n, int rounds, bool one_by_one)
{
	pid_t *tid = calloc((size_t)n, sizeof(*tid));
	double since, took;
	int i;

	for (i = 0; i < n; i++)
		start(cycling, &tid[i]);
	await_held((__u64)n);
	since = now_us();
	for (i = 0; i < rounds; i++) {
		let_go(tid, n, one_by_one);
		await_held((__u64)n);
	}
	took = now_us() - since;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	return took / rounds / n;
}

/* wake: on one CPU, for how long another takes to notice is no affair of ours */

static pid_t reader_tid;
static double returned_at;
static int told; /* that it did; the waker sleeps there and takes no CPU */

static void *reading(void *fd)
{
	__u64 n, one = 1;

	__atomic_store_n(&reader_tid, gettid(), __ATOMIC_RELEASE);
	for (;;) {
		if (read(*(int *)fd, &n, sizeof(n)) < 0)
			fail("read");
		returned_at = now_us();
		if (write(told, &one, sizeof(one)) < 0)
			fail("eventfd");
	}
	return NULL;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double wake(int rounds, bool undead)
{
	double *took = calloc((size_t)rounds, sizeof(*took)), since;
	__u64 n, one = 1;
	cpu_set_t one_cpu;
	pid_t tid;

	told = eventfd(0, 0);
	CPU_ZERO(&one_cpu);
	CPU_SET(0, &one_cpu);
	if (sched_setaffinity(0, sizeof(one_cpu), &one_cpu))
		fail("affinity");
	start(reading, undead ? &gate : &event);
	for (int i = 0; i < rounds; i++) {
		do {
			sched_yield();
			tid = __atomic_load_n(&reader_tid, __ATOMIC_ACQUIRE);
		} while (!tid || state_of(tid) != (undead ? 'D' : 'S'));
		since = now_us();
		if (undead ? release(gate, UNDEAD_RELEASE_TID, (__u64)tid,
				     NULL) :
			     write(event, &one, sizeof(one)) < 0)
			fail("wake");
		if (read(told, &n, sizeof(n)) < 0)
			fail("eventfd");
		took[i] = returned_at - since;
	}
	qsort(took, (size_t)rounds, sizeof(*took), rising);
	return took[rounds / 2];
}

/* slab */

static double slab_bytes(const char *prefix)
{
	FILE *file = fopen("/proc/slabinfo", "re");
	unsigned long objects, size;
	char line[512], name[64];
	double sum = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %lu %*u %lu", name, &objects, &size) ==
			    3 &&
		    !strncmp(name, prefix, strlen(prefix)))
			sum += (double)objects * (double)size;
	if (!file || !sum)
		fail("/proc/slabinfo");
	fclose(file);
	return sum;
}

/* Asleep first without the module, for what is a thread's and not a hold's. */
static void *read_both(void *unused)
{
	__u64 n;

	if (read(event, &n, sizeof(n)) < 0 || read(gate, &n, 1))
		fail("read");
	return unused;
}

static double slab_of_reads(int n)
{
	__u64 go = (__u64)n;
	double before;

	event = eventfd(0, EFD_SEMAPHORE);
	for (int i = 0; i < n; i++)
		start(read_both, NULL);
	before = slab_bytes("");
	if (write(event, &go, sizeof(go)) < 0)
		fail("eventfd");
	await_held((__u64)n);
	return (slab_bytes("") - before) / n;
}

static void submit(int n)
{
	static char buffer[8];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (__u32)gate,
		.aio_buf = (unsigned long)buffer,
		.aio_nbytes = sizeof(buffer),
	}, *list[] = { &cb };
	aio_context_t context = 0;

	if (enrol(gate, UNDEAD_ENROL_GROUP, 0) ||
	    syscall(SYS_io_setup, n, &context))
		_exit(1);
	while (n--)
		if (syscall(SYS_io_submit, context, 1, list) != 1)
			_exit(1);
	_exit(0);
}

/* The owner's requests pass: a child makes them. */
static double slab_of_requests(int n)
{
	double before = slab_bytes("kmalloc"), bytes;
	pid_t pid = fork();

	if (!pid)
		submit(n);
	await_held((__u64)n);
	bytes = (slab_bytes("kmalloc") - before) / n;
	gate_open(gate, 0, NULL);
	if (ended(pid))
		fail("submit");
	return bytes;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *how = argv[argc - 1];
	int n = argc > 3 ? atoi(argv[2]) : 0;
	double figure;

	control = control_open();
	gate = gate_create(control, POINT(READ) | POINT(AIO), LONG_MS);
	event = eventfd(0, 0);
	if (gate < 0 || event < 0)
		fail(DEVICE);
	if (!strcmp(what, "cycle") && argc == 5 && n > 0 && atoi(argv[3]) > 0)
		figure = cycle(n, atoi(argv[3]), !strcmp(how, "tid"));
	else if (!strcmp(what, "wake") && n > 0)
		figure = wake(n, !strcmp(how, "undead"));
	else if (!strcmp(what, "slab") && n > 0 && !strcmp(how, "aio"))
		figure = slab_of_requests(n);
	else if (!strcmp(what, "slab") && n > 0)
		figure = slab_of_reads(n);
	else
		return fprintf(stderr, "usage: see the top of holds.c\n"), 2;
	printf("%.3f\n", figure);
	fflush(stdout);
	gate_open(gate, 0, NULL);
	_exit(0);
}
