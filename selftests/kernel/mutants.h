/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Put into a copy of the kernel's sources by mutate.c, which wraps places
 * ("sites") in these. One mutant is on at a time, chosen while the kernel runs
 * by two numbers written to debugfs: undead_mutants/select. What each site has
 * seen is in undead_mutants/seen, a byte for each.
 */
#ifndef UNDEAD_MUTANTS_H
#define UNDEAD_MUTANTS_H

#include <linux/compiler.h>
#include <linux/types.h>

enum undead_operation {
	UNDEAD_NEGATED = 1,
	UNDEAD_FORCED_TRUE,
	UNDEAD_FORCED_FALSE,
	UNDEAD_LEFT_OUT,
};

#define UNDEAD_SITES 4096

/* Site 0 is none. */
extern unsigned int undead_site, undead_operation;
extern u8 undead_seen[UNDEAD_SITES];

static __always_inline bool undead_if(unsigned int site, bool real)
{
	undead_seen[site] |= 1 << real;
	if (likely(READ_ONCE(undead_site) != site))
		return real;
	switch (undead_operation) {
	case UNDEAD_NEGATED:
		return !real;
	case UNDEAD_FORCED_TRUE:
		return true;
	case UNDEAD_FORCED_FALSE:
		return false;
	default:
		return real;
	}
}

static __always_inline bool undead_do(unsigned int site)
{
	undead_seen[site] |= 2;
	return likely(READ_ONCE(undead_site) != site);
}

#define UNDEAD_IF(site, ...) undead_if(site, !!(__VA_ARGS__))

/* A statement. */
#define UNDEAD_DO(site, ...)           \
	do {                           \
		if (undead_do(site)) { \
			__VA_ARGS__;   \
		}                      \
	} while (0)

/* A call whose value is used: 0 when it is left out. */
#define UNDEAD_VALUE(site, ...)                                        \
	({                                                             \
		typeof(__VA_ARGS__) __undead = (typeof(__VA_ARGS__))0; \
		if (undead_do(site))                                   \
			__undead = __VA_ARGS__;                        \
		__undead;                                              \
	})

#endif
