/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events undead:undead_hold and undead:undead_release. A tid is a number
 * in the initial pid namespace. Nothing is worked out for an event that is off.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM undead

#if !defined(UNDEAD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define UNDEAD_TRACE_H

#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/tracepoint.h>
#include <linux/undead.h>

#ifndef UNDEAD_TRACE_NAMES
#define UNDEAD_TRACE_NAMES

#define undead_show_point(point)					\
	__print_symbolic(point,						\
		{ UNDEAD_POINT_READ,		"read" },		\
		{ UNDEAD_POINT_IOCTL,		"ioctl" },		\
		{ UNDEAD_POINT_FAULT,		"fault" },		\
		{ UNDEAD_POINT_VMA_CLOSE,	"vma-close" },		\
		{ UNDEAD_POINT_FLUSH,		"flush" },		\
		{ UNDEAD_POINT_RELEASE,		"release" },		\
		{ UNDEAD_POINT_AIO,		"aio" })

#define undead_show_kind(kind)						\
	__print_symbolic(kind,						\
		{ UNDEAD_KIND_UNINTERRUPTIBLE,	"uninterruptible" },	\
		{ UNDEAD_KIND_KILLABLE,		"killable" },		\
		{ UNDEAD_KIND_INTERRUPTIBLE,	"interruptible" },	\
		{ UNDEAD_KIND_IDLE,		"idle" },		\
		{ UNDEAD_KIND_IOWAIT,		"iowait" },		\
		{ UNDEAD_KIND_SPIN,		"spin" })

#define undead_show_reason(reason)					\
	__print_symbolic(reason,					\
		{ UNDEAD_REASON_REQUEST,	"request" },		\
		{ UNDEAD_REASON_DEADLINE,	"deadline" },		\
		{ UNDEAD_REASON_OWNER,		"owner" },		\
		{ UNDEAD_REASON_SIGNAL,		"signal" },		\
		{ UNDEAD_REASON_SHUTDOWN,	"shutdown" })

#endif /* UNDEAD_TRACE_NAMES */

/* perf and trace-cmd do not know the names, but the values. */
TRACE_DEFINE_ENUM(UNDEAD_POINT_READ);
TRACE_DEFINE_ENUM(UNDEAD_POINT_IOCTL);
TRACE_DEFINE_ENUM(UNDEAD_POINT_FAULT);
TRACE_DEFINE_ENUM(UNDEAD_POINT_VMA_CLOSE);
TRACE_DEFINE_ENUM(UNDEAD_POINT_FLUSH);
TRACE_DEFINE_ENUM(UNDEAD_POINT_RELEASE);
TRACE_DEFINE_ENUM(UNDEAD_POINT_AIO);
TRACE_DEFINE_ENUM(UNDEAD_KIND_UNINTERRUPTIBLE);
TRACE_DEFINE_ENUM(UNDEAD_KIND_KILLABLE);
TRACE_DEFINE_ENUM(UNDEAD_KIND_INTERRUPTIBLE);
TRACE_DEFINE_ENUM(UNDEAD_KIND_IDLE);
TRACE_DEFINE_ENUM(UNDEAD_KIND_IOWAIT);
TRACE_DEFINE_ENUM(UNDEAD_KIND_SPIN);
TRACE_DEFINE_ENUM(UNDEAD_REASON_REQUEST);
TRACE_DEFINE_ENUM(UNDEAD_REASON_DEADLINE);
TRACE_DEFINE_ENUM(UNDEAD_REASON_OWNER);
TRACE_DEFINE_ENUM(UNDEAD_REASON_SIGNAL);
TRACE_DEFINE_ENUM(UNDEAD_REASON_SHUTDOWN);

TRACE_EVENT(undead_hold,
	TP_PROTO(u64 gate, u64 id, struct pid *pid, u32 point, u32 kind),
	TP_ARGS(gate, id, pid, point, kind),
	TP_STRUCT__entry(
		__field(u64, gate)
		__field(u64, id)
		__field(pid_t, tid)
		__field(u32, point)
		__field(u32, kind)
	),
	TP_fast_assign(
		__entry->gate = gate;
		__entry->id = id;
		__entry->tid = pid_nr(pid);
		__entry->point = point;
		__entry->kind = kind;
	),
	TP_printk("gate=%llu hold=%llu tid=%d point=%s kind=%s",
		  __entry->gate, __entry->id, __entry->tid,
		  undead_show_point(__entry->point),
		  undead_show_kind(__entry->kind))
);

TRACE_EVENT(undead_release,
	TP_PROTO(u64 gate, u64 id, struct pid *pid, u32 point, u32 reason,
		 u64 since_ns),
	TP_ARGS(gate, id, pid, point, reason, since_ns),
	TP_STRUCT__entry(
		__field(u64, gate)
		__field(u64, id)
		__field(pid_t, tid)
		__field(u32, point)
		__field(u32, reason)
		__field(u64, held_ns)
	),
	TP_fast_assign(
		__entry->gate = gate;
		__entry->id = id;
		__entry->tid = pid_nr(pid);
		__entry->point = point;
		__entry->reason = reason;
		__entry->held_ns = ktime_get_ns() - since_ns;
	),
	TP_printk("gate=%llu hold=%llu tid=%d point=%s reason=%s held_ns=%llu",
		  __entry->gate, __entry->id, __entry->tid,
		  undead_show_point(__entry->point),
		  undead_show_reason(__entry->reason), __entry->held_ns)
);

#endif /* UNDEAD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
