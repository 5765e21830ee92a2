#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# source.sh: print the cached folder of a kernel's whole sources, unpacked and
# never changed: linux-source of the newest suite. Trees are copied from it.
. "$(dirname "$0")/lib.sh"

suite=sid

make_source() {
	need_space 3000000
	say "fetching the sources of the kernel of $suite, once, about 1 minute"
	fetch_source "$1" "$suite"
}

make_once "source-$suite" make_source
