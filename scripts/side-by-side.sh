#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print how many VMs this machine can run beside one another: two CPUs and 3 GB
# for each, and one in any case.
. "$(dirname "$0")/lib.sh"

cpus=$(($(nproc) / 2))
memory=$(awk '/^MemAvailable:/ { print int($2 / 3000000) }' /proc/meminfo)
n=$((cpus < memory ? cpus : memory))
echo $((n > 1 ? n : 1))
