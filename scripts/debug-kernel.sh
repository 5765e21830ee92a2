#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the folder of a kernel built with what finds bugs: KASAN, PROVE_LOCKING,
# DEBUG_ATOMIC_SLEEP, KMEMLEAK, fault injection, gcov (scripts/debug.config).
# Built once from the newest suite's linux-source, with this machine's compiler.
. "$(dirname "$0")/lib.sh"

suite=sid
fragment=$top/scripts/debug.config

make_kernel() {
	local url log=$1.log lost
	url=$(mirror)
	need mmdebstrap mmdebstrap
	for tool in bc bison flex gcc make; do need "$tool" "$tool"; done
	need_space 6000000
	say "building a debug kernel from linux-source of $suite, once, 5 to 15 minutes"
	rm -rf "$1.root"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --aptopt='Acquire::Check-Valid-Until "false"' \
	     --include=linux-source "$suite" "$1.root" "$url" 2>&1 |
	     progress downloading >"$log"; then
		explain "$log" "cannot fetch linux-source of $suite"
		rm -rf "$log" "$1.root"
		return 1
	fi
	mkdir "$1"
	if ! tar -xvf "$1".root/usr/src/linux-source-*.tar.xz -C "$1" \
	     --strip-components=1 2>>"$log" | progress unpacking 95000 >/dev/null; then
		explain "$log" "cannot unpack linux-source of $suite"
		return 1
	fi
	rm -rf "$1.root"
	if ! make -s -C "$1" KCONFIG_ALLCONFIG="$fragment" allnoconfig >>"$log" 2>&1; then
		explain "$log" "the debug kernel cannot be configured"
		return 1
	fi
	lost=$(grep '^CONFIG_' "$fragment" | grep -vxFf "$1/.config" | paste -sd' ') || :
	if [ -n "$lost" ]; then
		say "the kernel of $suite does not take $lost: see $fragment"
		rm "$log"
		return 1
	fi
	if ! make -C "$1" -j"$(nproc)" bzImage modules 2>&1 |
	     progress compiling 2400 >>"$log"; then
		explain "$log" "the debug kernel does not build"
		return 1
	fi
	rm -f "$log"
}

make_once "debug-kernel-$(cksum <"$fragment" | cut -d' ' -f1)" make_kernel
