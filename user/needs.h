/* SPDX-License-Identifier: GPL-2.0 */
/* What a scenario or a race needs; without it: SKIP, with the reason. */
#ifndef UNDEAD_NEEDS_H
#define UNDEAD_NEEDS_H

#define NEED_DEVICE (1U << 0) /* /dev/undead, opened */
#define NEED_ROOT   (1U << 1) /* CAP_SYS_ADMIN and friends */
#define NEED_VM     (1U << 2) /* a throw-away VM: it changes the machine */

#endif
