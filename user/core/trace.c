// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <traceevent/event-parse.h>

#include "proc.h"
#include "trace.h"
#include "util.h"

#define FORMAT    "/sys/kernel/tracing/events/signal/signal_generate/format"
#define RING_SIZE (8 * 4096UL)
#define MAX_CPUS  256

static struct tep_handle *tep;
static struct tep_event *event;
static struct perf_event_mmap_page *rings[MAX_CPUS];

static int read_format(void)
{
	_cleanup_close_ int fd = open(FORMAT, O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		return -errno;
	tep = tep_alloc();
	if (!tep || tep_parse_format(tep, &event, text, (size_t)n, "signal"))
		return -EINVAL;
	return 0;
}

static int open_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)event->id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.disabled = 1, /* until it has its filter */
	};
	_cleanup_close_ int fd = -1;
	void *ring;

	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno == ENODEV ? 0 : -errno; /* it is offline */
	if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "sig==17") < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	/* The mapping keeps the event. */
	ring = mmap(NULL, 4096 + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	rings[cpu] = ring;
	return 0;
}

int trace_open(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int err;

	if (!proc_in_first_pid_ns())
		return -EXDEV;
	err = read_format();
	for (int cpu = 0; !err && cpu < cpus && cpu < MAX_CPUS; cpu++)
		err = open_cpu(cpu);
	return err;
}

static void copy_out(const struct perf_event_mmap_page *ring, uint64_t at,
		     void *to, size_t n)
{
	const char *data = (const char *)ring + 4096;

	for (size_t i = 0; i < n; i++)
		((char *)to)[i] = data[(at + i) % RING_SIZE];
}

static int field(struct tep_record *record, const char *name)
{
	unsigned long long value = 0;

	if (tep_get_field_val(NULL, event, name, record, &value, 0) < 0)
		tep_get_common_field_val(NULL, event, name, record, &value, 0);
	return (int)value;
}

static void parse(const char *data, uint32_t size, struct trace_signal *s)
{
	struct tep_record record = { .data = (void *)data, .size = (int)size };

	s->by = field(&record, "common_pid");
	s->to = field(&record, "pid");
	s->code = field(&record, "code");
}

static bool next_of(struct perf_event_mmap_page *ring, struct trace_signal *s)
{
	struct {
		struct perf_event_header header;
		uint32_t size; /* of PERF_SAMPLE_RAW */
		char data[256];
	} __attribute__((packed)) e;
	uint64_t tail = ring->data_tail;
	bool found = false;

	while (!found &&
	       tail < __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE)) {
		copy_out(ring, tail, &e.header, sizeof(e.header));
		if (e.header.type == PERF_RECORD_SAMPLE &&
		    e.header.size <= sizeof(e)) {
			copy_out(ring, tail, &e, e.header.size);
			parse(e.data, e.size, s);
			found = true;
		}
		tail += e.header.size;
	}
	__atomic_store_n(&ring->data_tail, tail, __ATOMIC_RELEASE);
	return found;
}

bool trace_next(struct trace_signal *s)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (rings[cpu] && next_of(rings[cpu], s))
			return true;
	return false;
}
