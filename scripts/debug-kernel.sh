#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the folder of a kernel built with what finds bugs: KASAN, PROVE_LOCKING,
# DEBUG_ATOMIC_SLEEP, KMEMLEAK, fault injection (scripts/debug.config). Built
# once from the newest suite's linux-source, with this machine's compiler.
. "$(dirname "$0")/lib.sh"

suite=sid
fragment=$top/scripts/debug.config

make_kernel() {
	local url log=$1.log
	url=$(mirror)
	need mmdebstrap mmdebstrap
	for tool in bc bison flex gcc make; do need "$tool" "$tool"; done
	need_space 6000000
	say "building a debug kernel from linux-source of $suite, once, 5 to 10 minutes"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --aptopt='Acquire::Check-Valid-Until "false"' \
	     --include=linux-source "$suite" "$1.root" "$url" >"$log" 2>&1; then
		explain "$log" "cannot fetch linux-source of $suite"
		rm -rf "$log" "$1.root"
		return 1
	fi
	mkdir "$1"
	tar -xf "$1".root/usr/src/linux-source-*.tar.xz -C "$1" --strip-components=1
	rm -rf "$1.root"
	if ! make -s -C "$1" KCONFIG_ALLCONFIG="$fragment" allnoconfig >>"$log" 2>&1 ||
	   ! make -s -C "$1" -j"$(nproc)" bzImage modules >>"$log" 2>&1; then
		explain "$log" "the debug kernel does not build"
		rm -rf "$1"
		return 1
	fi
	rm -f "$log"
}

make_once "debug-kernel-$(cksum <"$fragment" | cut -d' ' -f1)" make_kernel
