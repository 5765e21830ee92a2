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
	need_space 900000
	say "fetching the kselftest harness of $suite, once, about 20 s"
	fetch_source "$1" "$suite" "${files[@]/#/*/}"
}

make_once "ksrc-$suite-$(cksum <<<"${files[*]}" | cut -d' ' -f1)" make_ksrc
