#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What virtme-ng takes for QEMU (scripts/vng.sh): keeps its arguments in
# $UNDEAD_VNG.args and the initramfs, a descriptor, in $UNDEAD_VNG.cpio.
[ "$1" != --version ] || exec qemu-system-x86_64 --version
args=()
while [ $# -gt 0 ]; do
	if [ "$1" = -initrd ]; then
		cat "$2" >"$UNDEAD_VNG.cpio"
		shift
	else
		args+=("$1")
	fi
	shift
done
printf '%s\0' "${args[@]}" >"$UNDEAD_VNG.args"
