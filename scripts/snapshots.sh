#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# snapshots.sh [SUITE...]: selftests/snapshots/KERNEL/ made anew for the kernel of
# each suite: what the doctor is shown in scenarios and scenes, about one for each
# verdict, and a name that is hostile.
. "$(dirname "$0")/lib.sh"
cd "$top"

scenarios='zombie-leader delayed-seccomp delayed-spin exec-held-mmap exec-waits
	dying-in-aio zombie-maker cgroup-frozen-v1'
scenes='hostile-name stopped init-does-not-reap group-survives pidns-teardown
	traced-stop vfork core-pipe frozen-v2 fsfreeze fsfreeze-killed
	fuse-flush-in-exit nfs-stopped asleep'
drivers=(--driver fuse --driver loop --driver nfsd --driver nfs --driver nfsv4)
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
[ $# -gt 0 ] || set -- bullseye bookworm trixie forky
make -s build build/host/doctor_test >&2
for suite; do
	mkdir "$kept/$suite"
	# shellcheck disable=SC2016
	scripts/vm.sh --suite "$suite" --mem 1024 --timeout 400 --share "$kept/$suite" \
		"${drivers[@]}" --add build/host/doctor_test:/doctor_test -- sh -c '
		mkdir /tmp/kept && uname -r >/tmp/kept/release
		undead run --snapshots /tmp/kept $1; status=$?
		for scene in $2; do
			SCENE=$scene /doctor_test /bin/undead vm /tmp/kept || status=1
		done
		cp /tmp/kept/* /share; exit $status' sh "$scenarios" "$scenes" >&2 ||
		die "not all passed on $suite"
	to=selftests/snapshots/$(sed 's/\([0-9]*[.][0-9]*\).*/\1/' "$kept/$suite/release")
	rm -rf "$to" "$kept/$suite/release"
	mkdir -p "$to"
	cp "$kept/$suite"/* "$to"
done
