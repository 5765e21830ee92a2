#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ksdrop.sh SUITE [TEST...]: the selftests dropped into a kernel tree, built and
# installed there for a suite's kernel, and what was installed run in the VM by
# its own run_kselftest.sh: all of it, or these. TAP on stdout.
. "$(dirname "$0")/lib.sh"
. "$top/scripts/kernel.sh"

suite=$1 kdir='' tests=()
for name in "${@:2}"; do tests+=(-t "undead:$name"); done
find_kernel
tree=$top/build/ksdrop
rm -rf "$tree"
mkdir -p "$tree"
cp -r "$("$top/scripts/ksrc.sh")" "$tree/linux"
make -s -C "$top/selftests" drop KERNEL="$tree/linux"
make -C "$tree/linux/tools/testing/selftests" TARGETS=undead FORCE_TARGETS=1 \
	KDIR="$build" KMAKE="$top/scripts/kmake.sh $suite" \
	KSFT_INSTALL_PATH="$tree/install" install >"$tree/log" 2>&1 ||
	{ tail -n 20 "$tree/log" >&2; die "the selftests do not build in a kernel tree: $tree/log"; }
# Without the module all of them are skipped, and nobody would notice.
exec "$top/scripts/vm.sh" --suite "$suite" --no-module --mem 2048 --timeout 600 \
	--add "$tree/install:/kselftest" -- \
	sh -c '/kselftest/run_kselftest.sh "$@" && [ -d /sys/module/undead ]' sh "${tests[@]}"
