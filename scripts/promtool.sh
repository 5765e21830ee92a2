#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the path of Prometheus's promtool: that of PATH, or the one of Debian's
# package, unpacked into the cache. Installed it would start a server.
. "$(dirname "$0")/lib.sh"

unpack() {
	local log=$1.log
	need dpkg-deb dpkg
	need_space 150000
	say "fetching promtool out of Debian's package prometheus, once"
	mkdir "$1" "$1.deb"
	# Root or not, apt reads what it downloads as nobody.
	if ! (cd "$1.deb" && apt-get -q -o APT::Sandbox::User=root download prometheus) >"$log" 2>&1 ||
	   ! dpkg-deb --fsys-tarfile "$1.deb"/prometheus_*.deb | tar -x -C "$1" --strip-components=3 ./usr/bin/promtool; then
		explain "$log" 'cannot fetch promtool'
		rm -rf "$log" "$1.deb"
		return 1
	fi
	rm -rf "$log" "$1.deb"
}

command -v promtool || { cached=$(make_once promtool unpack); printf '%s\n' "$cached/promtool"; }
