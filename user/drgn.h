/* SPDX-License-Identifier: GPL-2.0 */
/* What somebody who knows drgn would type next. */
#ifndef UNDEAD_DRGN_H
#define UNDEAD_DRGN_H

#include <stdio.h>

#include "doctor.h"

/**
 * drgn_lines() - Python, for drgn on the running kernel
 * @v: the verdict, NULL: none
 *
 * Numbers only: nothing of it is a name that somebody else has chosen.
 */
void drgn_lines(const struct patient *p, const struct verdict *v, FILE *f);

#endif
