#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the cached folder with the few files of the kernel's sources that we
# use and do not copy: kselftest's harness and runner, and checkpatch. They come from the
# distribution's linux-source package, unpacked and not installed.
. "$(dirname "$0")/lib.sh"

suite=trixie
files=(tools/testing/selftests/{kselftest.h,kselftest_harness.h,lib.mk,kselftest}
	tools/testing/selftests/{Makefile,run_kselftest.sh} scripts/subarch.include
	scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch})

make_ksrc() {
	local url log=$1.log
	url=$(mirror)
	need mmdebstrap mmdebstrap
	need_space 900000
	say "fetching the kselftest harness from linux-source of $suite, once, about 20 s"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --aptopt='Acquire::Check-Valid-Until "false"' \
	     --include=linux-source "$suite" "$1.root" "$url" >"$log" 2>&1; then
		explain "$log" "cannot fetch linux-source of $suite"
		rm -rf "$log" "$1.root"
		return 1
	fi
	mkdir "$1"
	tar -xf "$1".root/usr/src/linux-source-*.tar.xz -C "$1" \
		--strip-components=1 --wildcards "${files[@]/#/*/}"
	rm -rf "$log" "$1.root"
}

make_once "ksrc-$suite-$(cksum <<<"${files[*]}" | cut -d' ' -f1)" make_ksrc
