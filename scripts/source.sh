#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# source.sh: print the cached folder of a kernel's whole sources, unpacked and
# never changed: linux-source of the newest suite. Trees are copied from it.
. "$(dirname "$0")/lib.sh"

suite=sid

make_source() {
	local url log=$1.log
	url=$(mirror)
	need mmdebstrap mmdebstrap
	need_space 3000000
	say "fetching linux-source of $suite, once, about 1 minute"
	rm -rf "$1.root"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --aptopt='Acquire::Check-Valid-Until "false"' \
	     --include=linux-source "$suite" "$1.root" "$url" >"$log" 2>&1; then
		explain "$log" "cannot fetch linux-source of $suite"
		rm -rf "$log" "$1.root"
		return 1
	fi
	mkdir "$1"
	tar -xf "$1".root/usr/src/linux-source-*.tar.xz -C "$1" --strip-components=1
	rm -rf "$log" "$1.root"
}

make_once "source-$suite" make_source
