#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh PACKAGE...: install those that are missing, with sudo if need be. One
# with a '?' before it only where this release has it.
. "$(dirname "$0")/lib.sh"

[ "$(uname -m)" = x86_64 ] || die "x86_64 only, this is $(uname -m)"
command -v dpkg-query >/dev/null ||
	{ say "no Debian: make sure of the equivalents of: $*"; exit; }
missing=()
for package; do
	if [ "$package" != "${package#\?}" ]; then
		package=${package#\?}
		apt-cache show "$package" >/dev/null 2>&1 || continue
	fi
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "no sudo here: install as root: apt-get install ${missing[*]}"
	apt=(sudo "${apt[@]}")
fi
say "installing ${missing[*]}${apt[0]/#*env/}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	explain "$log" "cannot install ${missing[*]}"
	exit "$EX_SETUP"
fi
