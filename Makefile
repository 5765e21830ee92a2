# SPDX-License-Identifier: GPL-2.0
# make help says what there is. All output is in build/.
PREFIX ?= /usr/local
SUITES := bullseye bookworm trixie trixie-rt forky
SUITE ?= trixie
MAKEFLAGS += --no-print-directory
export UNDEAD_RUN := $(value RUN)

B := build
Q := $(if $(V),,@)
quiet = $(if $(V),,@printf '  %-7s %s\n' $(1) $@)
SRC := $(sort $(wildcard user/*.c user/core/*.c user/scenarios/*.c user/verdicts/*.c))
OBJ := $(SRC:%.c=$B/%.o)
HOST_TESTS := $(patsubst selftests/%.c,$B/%,$(wildcard selftests/host/*_test.c))
VM_TESTS := $(patsubst selftests/%.c,$B/%,$(wildcard selftests/vm/*_test.c))

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Ikmod/uapi -Iuser -MMD -MP $(CFLAGS)
LDLIBS := @user/libs

PACKAGES := gcc libc6-dev libkmod-dev libjansson-dev libtraceevent-dev kmod xz-utils rsync \
	mmdebstrap busybox-static cpio qemu-system-x86 udev ?virtiofsd
DEBUG_PACKAGES := bc bison flex libelf-dev
LINT_PACKAGES := clang-format cppcheck shellcheck perl git

.PHONY: help module demo check vm check-matrix check-debug coverage-module bench lint format install clean deps build kselftest fuzz soak coverage mutants check-bisect docs FORCE
.DELETE_ON_ERROR:

help:
	@echo 'make demo          the zombie leader on a real kernel, in a throw-away VM'
	@echo 'make check         every test a change must pass'
	@echo "make vm            a shell in the VM; RUN='command', SUITE= or KDIR=, SHARE=dir, VM=vng or systemd"
	@echo 'make check-matrix  the tests on $(SUITES)'
	@echo 'make check-debug   the tests on a kernel that finds bugs'
	@echo 'make coverage-module  which lines of kmod/ the tests run, and which not'
	@echo 'make bench         every figure beside its yardstick'
	@echo 'make fuzz          the device, OPS= operations drawn from SEED='
	@echo 'make coverage      branches of the kernel that the catalogue takes; BASELINE=1: a boot'
	@echo 'make mutants       mutants of the kernel that it notices; SAMPLE=6 of them, FUNCTION=do_exit, MUTANTS=dir'
	@echo 'make soak          what takes hours; appends its result to docs/soak.md'
	@echo 'make docs          what of docs/ is made from the scenarios'
	@echo 'make lint          every linter; zero findings'
	@echo 'make build install clean   as usual (DESTDIR, PREFIX); deps installs what is missing'

deps:
	@scripts/deps.sh $(PACKAGES:?%='?%')

build: $B/undead $B/guest-init $B/vmrun $B/tally

demo: deps
	@$(MAKE) build
	@scripts/vm.sh --suite $(SUITE) -- undead run zombie-leader

vm: deps
	@$(MAKE) build
	@scripts/vm.sh --suite $(SUITE) $(if $(KDIR),--kdir '$(KDIR)') \
		$(if $(SHARE),--share '$(SHARE)') $(if $(VM),--$(VM)) \
		$${UNDEAD_RUN:+-- sh -c "$$UNDEAD_RUN"}

check: deps
	@$(MAKE) build kselftest $B/lines $B/mutants $B/coverage-table $(HOST_TESTS) $(VM_TESTS) $B/vm/init $B/vm/session
	@$B/tally $(foreach t,$(HOST_TESTS),-t $(notdir $t) '$t $B/undead') \
		-s 'module, W=1, no warning' 'scripts/kmod.sh --suite $(SUITE)' \
		-s 'docs/exit-path.md is what the scenarios say' 'scripts/docs.sh --check' \
		$(foreach t,$(VM_TESTS),-t $(notdir $t) '$t $(SUITE)') \
		-t kselftest 'scripts/kselftest.sh --suite $(SUITE)' \
		-t 'in a kernel tree' 'scripts/ksdrop.sh $(SUITE) unload_test tool_test device_test' \
		-t systemd 'scripts/vm.sh --suite $(SUITE) --systemd -- undead run --tap zombie-leader-init adopter-init adoption-init orphaned-group-init' \
		-t virtme-ng 'scripts/vm.sh --suite $(SUITE) --vng -- undead run --tap zombie-leader'

check-matrix: deps
	@$(MAKE) build kselftest
	@$B/tally --table $(foreach s,$(SUITES),\
		-s 'module on $s, W=1, no warning' 'scripts/kmod.sh --suite $s' \
		-t $s 'scripts/kselftest.sh --suite $s')

# Then modules with a bug, which are caught, so that the first can be believed.
check-debug: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build kselftest $B/fuzz/fuzz
	@kdir=$$(scripts/debug-kernel.sh) && $B/tally \
		-t debug "scripts/kselftest.sh --kdir $$kdir --timeout 2400" \
		-t fuzz '$(MAKE) fuzz OPS=10000 KDIR='$$kdir \
		-s 'sleep-under-lock is caught' "UNDEAD_BREAK=sleep-under-lock scripts/vm.sh \
			--kdir $$kdir --mem 2048 --add $B/kselftest/undead:/t -- sh -c '/t/trace_test; /t/warnings_test'; [ \$$? = 1 ]" \
		-s 'no-suspend-notifier is caught' "UNDEAD_BREAK=no-suspend-notifier scripts/vm.sh \
			--kdir $$kdir --mem 2048 --add $B/kselftest/undead:/t -- /t/suspend_test; [ \$$? = 1 ]"

kselftest:
	@ksrc=$$(scripts/ksrc.sh) && mkdir -p $B/selftests && \
	$(MAKE) -s -C selftests OUTPUT=$(CURDIR)/$B/selftests \
		KSELFTEST=$$ksrc/tools/testing/selftests \
		INSTALL_PATH=$(CURDIR)/$B/kselftest/undead install && \
	cp -r $$ksrc/tools/testing/selftests/kselftest $B/kselftest/

# Objects are linked directly: an archive would drop the scenarios.
$B/undead: $(OBJ) $B/objects
	$(call quiet,LINK)
	$Q$(CC) $(LDFLAGS) -o $@ $(OBJ) $(LDLIBS)

$B/objects: FORCE
	@mkdir -p $B && echo '$(OBJ)' | cmp -s - $@ || echo '$(OBJ)' >$@

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -c -o $@ $<

$B/guest-init: user/init/init.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -static -o $@ $<

$B/vm/init $B/vm/session: $B/vm/%: selftests/vm/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -static -o $@ $< -lpthread

$B/vmrun: scripts/vmrun.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $<

$B/tally $B/lines: $B/%: selftests/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $<

$B/%_test: selftests/%_test.c $(OBJ) Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $< $(filter-out $B/user/undead.o $B/user/cmd-%,$(OBJ)) $(LDLIBS)

# Branches of the kernel that the catalogue takes; BASELINE=1: that a boot takes.
coverage: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build $B/coverage-table
	@scripts/coverage.sh $(if $(BASELINE),true)

# All, or SAMPLE= of them, or those of FUNCTION=; or the patches in MUTANTS=.
mutants: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) libclang-dev
	@$(MAKE) build $B/mutants $B/drive
	@$(if $(MUTANTS),scripts/patches.sh '$(MUTANTS)',scripts/mutants.sh $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(FUNCTION),--only $(FUNCTION)))

# On a history made for it: who breaks SIG_IGN?
check-bisect: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) git
	@$(MAKE) build
	@selftests/kernel/bisect.sh

$B/coverage-table: selftests/kernel/coverage.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $< -ljansson

$B/mutants: selftests/kernel/mutants.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $<

$B/drive: selftests/kernel/drive.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -static -o $@ $<

# libclang is where its version is.
LLVM = $(lastword $(sort $(wildcard /usr/lib/llvm-*/include/clang-c)))
$B/mutate: selftests/kernel/mutate.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -I$(LLVM:/clang-c=) -o $@ $< -L$(LLVM:/include/clang-c=/lib) -lclang

lint: deps
	@scripts/deps.sh $(LINT_PACKAGES)
	@$(MAKE) $B/tally
	@$B/tally $(foreach l,checkpatch sparse clang-format shellcheck cppcheck lists,\
		-s $l 'scripts/lint.sh $l') -s W=1 'scripts/kmod.sh --suite $(SUITE)'

format:
	@scripts/lint.sh format

docs: build
	@scripts/docs.sh

# JSON=1: an object a line.
bench: deps
	@$(MAKE) build $B/bench/compare $B/bench/yardstick $B/bench/holds
	@scripts/bench.sh $(SUITE)

# For the running kernel, or KDIR=.
module:
	@scripts/kmod.sh --kdir '$(or $(KDIR),/lib/modules/$(shell uname -r)/build)'

$B/bench/%: selftests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< -lpthread

# Static: its processes come and go faster.
$B/fuzz/fuzz: selftests/fuzz/fuzz.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -static -o $@ $< -lpthread

# The same seed, the same operations.
OPS ?= 20000
SEED ?= 0x$(shell git rev-parse --short=12 HEAD)
KERNEL = $(if $(KDIR),--kdir '$(KDIR)',--suite $(SUITE))

fuzz: deps
	@$(MAKE) build $B/fuzz/fuzz
	@scripts/vm.sh $(KERNEL) --timeout 900 --add build/fuzz:/fuzz -- \
		/fuzz/fuzz --ops $(OPS) --seed $(SEED)

# On the debug kernel, or KDIR=.
soak: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) libclang-dev
	@$(MAKE) build kselftest $B/fuzz/fuzz $B/mutants $B/drive
	@scripts/soak.sh $(SEED) '$(KDIR)'

coverage-module: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build kselftest $B/fuzz/fuzz $B/lines
	@$B/tally -t coverage scripts/coverage-module.sh

install: $B/undead
	install -Dm755 $B/undead '$(DESTDIR)$(PREFIX)/bin/undead'

clean:
	rm -rf $B

-include $(OBJ:.o=.d) $(wildcard $B/*.d $B/fuzz/*.d $B/host/*.d $B/vm/*.d)
