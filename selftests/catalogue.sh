#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The catalogue as a kselftest: every scenario is a test point.
module=$PWD/test_modules/undead.ko
if [ -e "$module" ]; then
	PATH=$PWD:$PATH
	[ -e /dev/undead ] || undead load --module "$module"
fi
exec undead run --tap
