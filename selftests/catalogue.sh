#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The catalogue as a kselftest: every scenario is a test point.
exec undead run --tap
