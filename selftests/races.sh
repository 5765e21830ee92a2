#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A sample of the races as a kselftest: each is a test point, until its proof.
# Those with the slowest rounds are left to "make check-races".
module=$PWD/test_modules/undead.ko
if [ -e "$module" ]; then
	export PATH="$PWD:$PATH" UNDEAD_MODULE="$module"
	[ -e /dev/undead ] || undead load --module "$module"
fi
exec undead race --tap --budget 3m hold-open hold-owner fork-owner release-twice \
	release-deadline lifecycle two-waiters pidfd-poll
