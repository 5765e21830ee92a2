// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "drgn.h"

#define MAX_STACKS 8

/*
 * struct hint - more to look at, for a thread that sleeps there
 * @part: of a function on its stack
 * @lines: with t, the thread, and trace, its stack
 */
static const struct {
	const char *part;
	const char *lines;
} hints[] = {
	{ "mutex_lock",
	  "# who holds the mutex (the low bits are flags)\n"
	  "lock = next(f['lock'] for f in trace if (f.name or '').startswith('__mutex_lock'))\n"
	  "owner = Object(prog, 'struct task_struct *', value=lock.owner.counter.value_() & ~7)\n"
	  "print(owner.pid, owner.comm)\n"
	  "print(prog.stack_trace(owner))\n" },
	{ "rwsem_down",
	  "# the last writer, or a reader that left its mark (the low bits are flags)\n"
	  "sem = next(f['sem'] for f in trace if (f.name or '').startswith('rwsem_down'))\n"
	  "owner = Object(prog, 'struct task_struct *', value=sem.owner.counter.value_() & ~7)\n"
	  "print(sem.count, owner.pid, owner.comm)\n"
	  "print(prog.stack_trace(owner))\n" },
	{ "request_wait_answer",
	  "# the request that the FUSE server has not answered, and its connection\n"
	  "req = next(f['req'] for f in trace if f.name == 'request_wait_answer')\n"
	  "print(req.flags, req.args.opcode, req.args.nodeid)\n"
	  "print(req.fm.fc.dev, req.fm.fc.num_waiting.counter)\n" },
	{ "exit_aio",
	  "# asynchronous requests that are not completed: mm.ioctx_table, one context each\n"
	  "mm = next(f['mm'] for f in trace if f.name in ('exit_aio', '__mmput', 'mmput'))\n"
	  "table = mm.ioctx_table\n"
	  "for i in range(table.nr):\n"
	  "    if table.table[i]:\n"
	  "        for req in list_for_each_entry('struct aio_kiocb', table.table[i].active_reqs.address_of_(), 'ki_list'):\n"
	  "            print(req.ki_filp.f_op, d_path(req.ki_filp.f_path))\n" },
	{ "zap_pid_ns_processes",
	  "# who is left in the pid name space\n"
	  "ns = next(f['pid_ns'] for f in trace if f.name == 'zap_pid_ns_processes')\n"
	  "for left in for_each_task(ns):\n"
	  "    print(left.pid, left.comm, left.exit_state, left.real_parent.pid)\n" },
	{ "de_thread",
	  "# threads that execve() waits for\n"
	  "print(t.signal.notify_count, t.signal.group_exec_task)\n"
	  "for other in list_for_each_entry('struct task_struct', t.signal.thread_head.address_of_(), 'thread_node'):\n"
	  "    print(other.pid, hex(other.flags), other.exit_state)\n"
	  "    print(prog.stack_trace(other))\n" },
	{ "freezer_trap",
	  "# its cgroup, which is frozen\n"
	  "print(cgroup_path(t.cgroups.dfl_cgrp), t.cgroups.dfl_cgrp.freezer)\n" },
	{ "wait_for_vfork_done",
	  "# the child that has neither called execve() nor ended\n"
	  "for child in list_for_each_entry('struct task_struct', t.children.address_of_(), 'sibling'):\n"
	  "    if child.vfork_done:\n"
	  "        print(child.pid, child.comm)\n"
	  "        print(prog.stack_trace(child))\n" },
	{ "bit_wait_io",
	  "# the page or buffer it waits for: look for it in the frames\n"
	  "for f in trace:\n"
	  "    print(f.name, [(n, f[n]) for n in f.locals() if n in ('bh', 'folio', 'page', 'bio', 'inode')])\n" },
};

static void hint(const struct task *t, FILE *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strstr(t->stack, hints[i].part) ||
		    strstr(t->wchan, hints[i].part)) {
			fputs(hints[i].lines, f);
			return;
		}
}

/* A thread that is not dead and where it sleeps; @n: how many there were. */
static void thread(const struct task *t, bool dying, int n, FILE *f)
{
	fprintf(f, "\nt = find_task(prog, %d)\n", t->st.pid);
	fputs("trace = prog.stack_trace(t)\nprint(trace)\n", f);
	fputs("print(hex(t.flags), hex(t.pending.signal.sig[0]), t.jobctl, t.exit_state)\n",
	      f);
	if (n)
		return;
	hint(t, f);
	/* In exit it has none any more. */
	if (!dying && t->st.state == 'D')
		fputs("for fd, file in for_each_file(t):\n"
		      "    print(fd, d_path(file.f_path))\n",
		      f);
}

static void dead(const struct patient *p, FILE *f)
{
	fprintf(f, "\nz = find_task(prog, %d)\n", p->pid);
	fputs("print(z.exit_state, hex(z.exit_code), z.exit_signal, z.signal.live.counter, z.signal.nr_threads)\n",
	      f);
	if (p->alive)
		return;
	fputs("# who has to wait: the parent, or for one that is traced the tracer\n"
	      "print(z.ptrace, z.real_parent.pid, z.parent.pid)\n"
	      "print(z.real_parent.comm, z.real_parent.signal.flags, hex(z.real_parent.blocked.sig[0]))\n"
	      "print(prog.stack_trace(z.real_parent))\n",
	      f);
}

void drgn_lines(const struct patient *p, const struct verdict *v, FILE *f)
{
	int n = 0;

	fprintf(f,
		"# %d, %s: as root, in drgn, with the debug symbols of the kernel.\n"
		"# Ids are those of the outermost pid name space.\n",
		p->pid, v ? v->name : "unknown");
	fputs("from drgn import Object\n"
	      "from drgn.helpers.linux.cgroup import cgroup_path\n"
	      "from drgn.helpers.linux.fs import d_path, for_each_file\n"
	      "from drgn.helpers.linux.list import list_for_each_entry\n"
	      "from drgn.helpers.linux.pid import find_task, for_each_task\n",
	      f);
	if (p->tasks[0].dead)
		dead(p, f);
	for (int i = 0; i < p->nr && n < MAX_STACKS; i++) {
		const struct task *t = &p->tasks[i];

		if (!t->dead && (t->st.state != 'S' || t->killed || p->nr == 1))
			thread(t, t->exiting, n++, f);
	}
	if (p->tracer.st.pid)
		fprintf(f,
			"\n# its tracer\ntracer = find_task(prog, %d)\nprint(tracer.comm)\n"
			"print(prog.stack_trace(tracer))\n",
			p->tracer.st.pid);
}
