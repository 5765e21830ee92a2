/* SPDX-License-Identifier: GPL-2.0 */
/* Looks at a process twice and asks every verdict. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "core/snap.h"
#include "verdict.h"

/* Between the two looks: what is seen in passing has passed. */
#define SECOND_LOOK_MS 40
/* For one file that may block. */
#define READER_MS 20

/**
 * verdicts() - all of them, by rank
 */
const struct verdict *const *verdicts(size_t *n);

/**
 * examine() - look at processes twice
 * @p: with .asked set (and .or_group, if wanted), all else 0: a process or any thread of one; out: .err and
 *     the rest
 *
 * One pause between the looks, however many they are.
 */
void examine(struct snap *s, struct patient *p, int n);

/**
 * judge() - the first verdict that it has
 * Return: NULL when none says anything; @f is filled otherwise.
 */
const struct verdict *judge(const struct patient *p, struct finding *f);

void patient_free(struct patient *p);

#endif
