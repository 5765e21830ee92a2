#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kmake.sh SUITE ARGUMENT...: make, in the root of a suite; the working directory
# is the module.
. "$(dirname "$0")/lib.sh"
. "$top/scripts/kernel.sh"

suite=$1 kdir=''
find_kernel
find_namespace
chroot_run "$root" "$PWD" make "${@:2}" M=/undead
