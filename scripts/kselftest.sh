#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# kselftest.sh [VM-OPTION...]: the installed selftests in the VM, run by
# kselftest's own runner; TAP on stdout. Then, in the guest, $UNDEAD_AFTER.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2016
exec "$top/scripts/vm.sh" --mem 2048 --timeout 600 --add "$top/build/kselftest:/kselftest" "$@" -- \
	sh -c 'cd /kselftest/undead && BASE_DIR=/kselftest && . ../kselftest/runner.sh &&
		run_many $(find . -maxdepth 1 -type f -perm -1 | sort) && eval "$1"' sh "${UNDEAD_AFTER:-}"
