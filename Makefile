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
SRC := $(sort $(wildcard user/*.c user/core/*.c user/lib/*.c user/scenarios/*.c user/verdicts/*.c user/races/*.c))
OBJ := $(SRC:%.c=$B/%.o)
HOST_TESTS := $(patsubst selftests/%.c,$B/%,$(wildcard selftests/host/*_test.c))
VM_TESTS := $(patsubst selftests/%.c,$B/%,$(wildcard selftests/vm/*_test.c))

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Ikmod/uapi -Iuser -MMD -MP $(CFLAGS)
LDLIBS := @user/libs

PACKAGES := gcc libc6-dev libkmod-dev libjansson-dev libtraceevent-dev libseccomp-dev kmod xz-utils rsync \
	mmdebstrap busybox-static cpio qemu-system-x86 udev ?virtiofsd
CHECK_PACKAGES := gdb strace trace-cmd linux-perf git pkg-config
DEBUG_PACKAGES := bc bison flex libelf-dev
LINT_PACKAGES := clang-format cppcheck shellcheck perl git

.PHONY: help module demo check vm check-vm check-matrix check-debug check-races check-kcsan check-vng coverage-module bench bombs lint format install clean deps build kselftest fuzz soak soak-doctor soak-catalogue coverage mutants check-bisect docs static fuzz-doctor runners FORCE
.DELETE_ON_ERROR:

help:
	@echo 'make demo          the zombie leader on a real kernel, in a throw-away VM'
	@echo 'make check         every test a change must pass'
	@echo "make vm            a shell in the VM; RUN='command', SUITE= or KDIR=, SHARE=dir, VM=vng or systemd"
	@echo 'make check-vm      the VM itself, and the tests within a kernel tree'
	@echo 'make check-matrix  the tests on $(SUITES)'
	@echo 'make check-debug   the tests on a kernel that finds bugs'
	@echo 'make bombs         of 1 000 processes, against undead exec, in the VM of SUITE='
	@echo 'make check-races   each race REPEAT=10 times on each kernel, idle and loaded, on the debug kernel, and planted bugs'
	@echo 'make check-kcsan   the races of the device on a kernel that tells of data races'
	@echo 'make check-vng     the catalogue under virtme-ng, on a kernel that it builds, once'
	@echo 'make coverage-module  which lines of kmod/ the tests run, and which not'
	@echo 'make bench         every figure beside its yardstick'
	@echo 'make static        build/static/undead: why and scan, for a machine in trouble'
	@echo 'make fuzz-doctor   the parsers and --from, for TIME= seconds'
	@echo 'make fuzz          the device, OPS= operations drawn from SEED='
	@echo 'make coverage      branches of the kernel that the catalogue takes; BASELINE=1: a boot'
	@echo 'make mutants       mutants of the kernel that it notices; SAMPLE=6 of them, FUNCTION=do_exit, LEFT=1, FIRST=8, MUTANTS=dir'
	@echo 'make soak          what takes hours; appends its result to docs/soak.md'
	@echo 'make soak-doctor   of that the races of the doctor and its fuzzer, SECONDS=600'
	@echo 'make soak-catalogue  of that the catalogue, 200 times; goes on where it was stopped'
	@echo 'make runners       what timeout, setsid, tini and undead exec leave behind: docs/runners.md'
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
	@scripts/deps.sh $(CHECK_PACKAGES)
	@$(MAKE) build static kselftest $B/undead-broken $B/lines $B/mutants $B/coverage-table $(HOST_TESTS) $(VM_TESTS)
	@$B/tally $(foreach t,$(HOST_TESTS),-t $(notdir $t) '$t $B/undead') \
		-s 'module, W=1, no warning' 'scripts/kmod.sh --suite $(SUITE)' \
		-s 'docs/exit-path.md is what the scenarios say' 'scripts/docs.sh --check' \
		-t kselftest 'scripts/kselftest.sh --suite $(SUITE)' \
		-t 'git that hangs' '$B/undead run --tap git-kill-child git-kill-group git-kill-group-setsid git-exec' \
		-t systemd 'scripts/vm.sh --suite $(SUITE) --systemd -- undead run --tap zombie-leader-init adopter-init adoption-init orphaned-group-init' \
		-t virtme-ng 'scripts/vm.sh --suite $(SUITE) --vng -- undead run --tap zombie-leader'

# What boots a VM for each of its points.
check-vm: deps
	@scripts/deps.sh $(CHECK_PACKAGES)
	@$(MAKE) build kselftest $(VM_TESTS) $B/vm/init $B/vm/session
	@$B/tally $(foreach t,$(VM_TESTS),-t $(notdir $t) '$t $(SUITE)') \
		-t 'ps and top of procps hang' 'scripts/vm.sh --suite $(SUITE) --systemd --mem 2048 \
			--add $B/kselftest/undead/hang_test:/hang_test -- /hang_test' \
		-t 'in a kernel tree' 'scripts/ksdrop.sh $(SUITE) unload_test tool_test device_test'

# On bullseye the guest was out of memory now and then: why is not known.
bombs: deps
	@$(MAKE) build kselftest
	@scripts/vm.sh --no-module --mem 2048 --timeout 900 --suite $(SUITE) \
		--add $B/kselftest/undead/exec_test:/exec_test -- /exec_test cgroup pidns none

# Those that change the machine, too.
SCENES_VM := scripts/vm.sh --no-module --mem 1024 --timeout 900 $(addprefix --driver ,fuse loop nfsd nfs nfsv4) \
	--add $B/host/doctor_test:/doctor_test

# And 'undead exec' against bombs, and where there is no cgroup.kill.
check-matrix: deps
	@$(MAKE) build kselftest $B/host/exec_test $B/host/doctor_test
	@$B/tally --table --side-by-side $$(scripts/side-by-side.sh) $(foreach s,$(SUITES),\
		-s 'module on $s, W=1, no warning' 'scripts/kmod.sh --suite $s' \
		-t $s 'scripts/kselftest.sh --suite $s' \
		-t 'scenes, $s' '$(SCENES_VM) --suite $s -- /doctor_test /bin/undead vm') \
		-t 'exec, bullseye' 'scripts/vm.sh --suite bullseye --timeout 900 --add $B/host/exec_test -- /exec_test /bin/undead' \
		-t bombs '$(MAKE) bombs SUITE=trixie'

# Then modules with a bug, which are caught, so that the first can be believed.
check-debug: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build kselftest $B/fuzz/fuzz
	@kdir=$$(scripts/build-kernel.sh debug) && $B/tally \
		-t debug "scripts/kselftest.sh --kdir $$kdir --timeout 3600" \
		-t fuzz '$(MAKE) fuzz KDIR='$$kdir \
		-s 'sleep-under-lock is caught' "UNDEAD_BREAK=sleep-under-lock scripts/vm.sh \
			--kdir $$kdir --mem 2048 --add $B/kselftest/undead:/t -- sh -c '/t/trace_test; /t/warnings_test'; [ \$$? = 1 ]" \
		-s 'no-suspend-notifier is caught' "UNDEAD_BREAK=no-suspend-notifier scripts/vm.sh \
			--kdir $$kdir --mem 2048 --add $B/kselftest/undead:/t -- /t/suspend_test; [ \$$? = 1 ]"

# Then modules with a bug that only a race that was met can show.
REPEAT ?= 10
RACE = undead race --tap --budget 5m --repeat $(REPEAT)
RACE_VM = scripts/vm.sh --timeout 36000 --suite

check-races: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) libclang-dev
	@$(MAKE) build
	@kdir=$$(scripts/build-kernel.sh debug) && $B/tally $(foreach s,$(SUITES),\
		-t '$s' '$(RACE_VM) $s -- $(RACE)' \
		-t '$s, loaded' '$(RACE_VM) $s -- sh -c "yes >/dev/null & yes >/dev/null & $(RACE); exit \$$?"') \
		-t debug "scripts/vm.sh --timeout 36000 --kdir $$kdir --mem 2048 -- $(RACE)" \
		-s 'lifecycle-vacuous is VACUOUS' '$(RACE_VM) $(SUITE) -- undead race --repeat $(REPEAT) lifecycle-vacuous; [ $$? = 5 ]' \
		$(foreach b,lost-wake-up unlocked-counter,-s '$b is found' \
			'UNDEAD_BREAK=$b $(RACE_VM) $(SUITE) -- undead race --full --budget 60s hold-open; [ $$? = 1 ]') \
		-s 'a lost cmpxchg() of the kernel is found' \
			"scripts/race-mutant.sh two-waiters wait_task_zombie condition 8 'forced false'" \
		-s 'a task that nobody looked for under the lock is found' \
			"scripts/race-mutant.sh two-waiters do_wait_pid condition 7 'forced true'"

# Of the reports those that have the module in them; then one that there must be. It
# looks at every tenth access, and for 30 us: at its own pace it meets nobody here.
KCSAN_VM = scripts/vm.sh --kdir $$kdir --mem 2048 --timeout 3600 --append log_buf_len=16M -- sh -c
KCSAN_ON = cd /sys/module/kcsan/parameters; echo 10 >skip_watch; echo 30 >udelay_task; echo on >/sys/kernel/debug/kcsan
KCSAN_SAYS = dmesg | grep KCSAN:.*undead

check-kcsan: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build
	@kdir=$$(scripts/build-kernel.sh kcsan) && export kdir && $B/tally \
		-t races '$(KCSAN_VM) "$(KCSAN_ON); undead race --tap --budget 10m create-unload fork-owner hold-open hold-owner release-deadline release-twice; s=\$$?; $(KCSAN_SAYS) >&2 && exit 1; exit \$$s"' \
		-s 'unlocked-counter is found' 'UNDEAD_BREAK=unlocked-counter $(KCSAN_VM) \
			"$(KCSAN_ON); for i in 0 1 2 3 4 5 6 7 8 9; do undead race --full --budget 60s hold-open; $(KCSAN_SAYS) && exit; done; exit 1"'

# It takes half an hour to build, once: by hand.
check-vng: deps
	@$(MAKE) build $B/tally
	@kdir=$$(scripts/vng-kernel.sh) && $B/tally -t 'vng --build' \
		"scripts/vm.sh --kdir $$kdir --vng --timeout 900 -- undead run --tap"

kselftest:
	@ksrc=$$(scripts/ksrc.sh) && mkdir -p $B/selftests && \
	$(MAKE) -s -C selftests OUTPUT=$(CURDIR)/$B/selftests \
		KSELFTEST=$$ksrc/tools/testing/selftests \
		INSTALL_PATH=$(CURDIR)/$B/kselftest/undead install && \
	cp -r $$ksrc/tools/testing/selftests/kselftest $B/kselftest/

# Objects are linked directly: an archive would drop the scenarios. With "now" a
# process that was just forked does not bind what its parent never called.
$B/undead: $(OBJ) $B/objects
	$(call quiet,LINK)
	$Q$(CC) -Wl,-z,now $(LDFLAGS) -o $@ $(OBJ) $(LDLIBS)

# why and scan, on any x86_64 Linux from 4.18 on; the libraries are in it.
DOCTOR := $(filter-out user/core/out-% user/core/trace.c,$(wildcard user/undead.c user/doctor.c \
	user/answer.c user/finding.c user/look*.c user/drgn.c user/scan*.c user/cmd-why.c user/cmd-scan.c \
	user/core/*.c user/verdicts/*.c))

static: $B/static/undead

$B/static/undead: $(DOCTOR) $(wildcard user/*.h user/core/*.h user/verdicts/*.h) Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -DDOCTOR_ONLY -ffunction-sections -static \
		-Wl,--gc-sections -s -o $@ $(DOCTOR) $(filter-out -ldl -ltraceevent,$(shell cat user/libs))

# Planted bugs, for the tests that must find them: UNDEAD_BREAK=WHAT, see
# race_planted().
BROKEN := $(filter $B/user/race%,$(OBJ))
$B/undead-broken: $(filter-out $(BROKEN),$(OBJ)) $(BROKEN:$B/%=$B/broken/%)
	$(call quiet,LINK)
	$Q$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$B/broken/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -DUNDEAD_RACE_BREAK -c -o $@ $<

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

SCENES := $(sort $(wildcard selftests/scenes/*.c))
$B/host/doctor_test $B/host/snapshot_test: $B/host/%: selftests/host/%.c $(SCENES) selftests/scenes/scene.h $(OBJ) Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $< $(SCENES) \
		$(filter-out $B/user/undead.o $B/user/cmd-%,$(OBJ)) $(LDLIBS)

# Branches of the kernel that the catalogue takes; BASELINE=1: that a boot takes.
coverage: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build $B/coverage-table
	@scripts/coverage.sh $(if $(BASELINE),true)

# All, or SAMPLE= of them, those of FUNCTION=, those that nobody has noticed yet
# (LEFT=1); FIRST= scenarios are asked, not all; or the patches in MUTANTS=.
mutants: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) libclang-dev
	@$(MAKE) build $B/mutants $B/drive
	@$(if $(MUTANTS),scripts/patches.sh '$(MUTANTS)',scripts/mutants.sh $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(FIRST),--first $(FIRST)) $(if $(FUNCTION),--only $(FUNCTION)) $(if $(LEFT),--left selftests/kernel/equivalent))

# On a history made for it: who breaks SIG_IGN?
check-bisect: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) git
	@$(MAKE) build
	@selftests/kernel/bisect.sh

$B/coverage-table: selftests/kernel/coverage.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $< -ljansson

MUTANTS_SRC := $(addprefix selftests/kernel/,mutants.c results.c table.c)
$B/mutants: $(MUTANTS_SRC) selftests/kernel/results.h Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -o $@ $(MUTANTS_SRC)

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
	@$(MAKE) build $B/bench/compare $B/bench/yardstick $B/bench/holds $B/bench/barrier $B/bench/cancel $B/bench/crowd
	@scripts/bench.sh $(SUITE)

# The table of docs/runners.md, made anew.
runners: deps
	@scripts/deps.sh tini
	@$(MAKE) build $B/bench/runners
	@scripts/runners.sh

# For the running kernel, or KDIR=.
module:
	@scripts/kmod.sh --kdir '$(or $(KDIR),/lib/modules/$(shell uname -r)/build)'

$B/bench/%: selftests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< -lpthread

# Static, so that the command's own start is a small part; with libundead inside.
$B/bench/cancel: selftests/bench/cancel.c $B/libundead.a Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -static -o $@ $< $B/libundead.a

# Static: its processes come and go faster.
FUZZ_SRC := $(filter-out %/doctor.c,$(sort $(wildcard selftests/fuzz/*.c)))
$B/fuzz/fuzz: $(FUZZ_SRC) $(wildcard selftests/fuzz/*.h) selftests/device.h Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -static -o $@ $(FUZZ_SRC) -lpthread

# The same seed, the same operations.
OPS ?= 20000
SEED ?= 0x$(shell git rev-parse --short=12 HEAD)
KERNEL = $(if $(KDIR),--kdir '$(KDIR)',--suite $(SUITE))

fuzz: deps
	@$(MAKE) build $B/fuzz/fuzz
	@scripts/vm.sh $(KERNEL) --timeout 900 --add build/fuzz:/fuzz -- \
		/fuzz/fuzz --ops $(OPS) --seed $(SEED)

# What it finds is fixed and its input goes into the corpus, to which the snapshots
# belong; new inputs that reach more are in build/.
TIME ?= 30
FUZZED := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

fuzz-doctor: deps
	@scripts/deps.sh clang
	@$(MAKE) $B/fuzz/doctor
	@mkdir -p $B/fuzz/corpus
	@$B/fuzz/doctor -max_total_time=$(TIME) -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
		-dict=selftests/fuzz/doctor.dict -artifact_prefix=$B/fuzz/ \
		$B/fuzz/corpus selftests/fuzz/corpus $(wildcard selftests/snapshots/*)

$B/fuzz/doctor: selftests/fuzz/doctor.c $(DOCTOR) $(wildcard user/*.h user/core/*.h user/verdicts/*.h) Makefile
	@mkdir -p $(@D)
	$(call quiet,FUZZ)
	$Qclang $(filter-out -MMD -MP -O2,$(ALL_CFLAGS)) -DDOCTOR_ONLY -Dmain=undead_main -Wno-missing-prototypes $(FUZZED) \
		-o $@ selftests/fuzz/doctor.c $(DOCTOR) $(filter-out -ldl -ltraceevent,$(shell cat user/libs))

# On the debug kernel, or KDIR=.
soak: deps
	@scripts/deps.sh $(DEBUG_PACKAGES) libclang-dev
	@$(MAKE) build kselftest $B/fuzz/fuzz $B/mutants $B/drive $B/host/reuse_test
	@scripts/soak.sh $(SEED) '$(KDIR)'

soak-doctor: deps
	@$(MAKE) build $B/host/reuse_test
	@scripts/soak-doctor.sh $(SECONDS)

# Only the catalogue; HOST=1: what it can on this machine, BOOTS= VMs at most.
soak-catalogue: deps
	@$(MAKE) build
	@scripts/soak-catalogue.sh --suite $(SUITE) $(if $(HOST),--host) $(BOOTS)

coverage-module: deps
	@scripts/deps.sh $(DEBUG_PACKAGES)
	@$(MAKE) build kselftest $B/fuzz/fuzz $B/lines
	@$B/tally -t coverage scripts/coverage-module.sh

# libundead: what it calls of core/ is inside, and hidden.
VERSION := 0.1.0
LIB := $(patsubst %.c,$B/pic/%.o,$(wildcard user/lib/*.c) $(addprefix user/core/,await.c family.c proc.c util.c))

$B/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)
	$Q$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

$B/libundead.so.0: $(LIB)
	$(call quiet,LINK)
	$Q$(CC) $(LDFLAGS) -shared -Wl,-soname,libundead.so.0 -Wl,-z,defs -o $@ $(LIB)

$B/libundead.a: $(LIB)
	$(call quiet,AR)
	$Q$(LD) -r -o $B/pic/libundead.o $(LIB) && objcopy --localize-hidden $B/pic/libundead.o && \
		rm -f $@ && $(AR) rcs $@ $B/pic/libundead.o

install: $B/undead $B/libundead.so.0 $B/libundead.a
	install -Dm755 $B/undead '$(DESTDIR)$(PREFIX)/bin/undead'
	install -Dm644 $B/libundead.so.0 '$(DESTDIR)$(PREFIX)/lib/libundead.so.0'
	ln -sf libundead.so.0 '$(DESTDIR)$(PREFIX)/lib/libundead.so'
	install -Dm644 $B/libundead.a '$(DESTDIR)$(PREFIX)/lib/libundead.a'
	install -Dm644 user/lib/undead.h '$(DESTDIR)$(PREFIX)/include/undead.h'
	install -Dm644 user/lib/libundead.3 '$(DESTDIR)$(PREFIX)/share/man/man3/libundead.3'
	mkdir -p '$(DESTDIR)$(PREFIX)/lib/pkgconfig'
	sed 's,@prefix@,$(PREFIX),; s,@version@,$(VERSION),' user/lib/libundead.pc.in \
		>'$(DESTDIR)$(PREFIX)/lib/pkgconfig/libundead.pc'

clean:
	rm -rf $B

-include $(OBJ:.o=.d) $(LIB:.o=.d) $(BROKEN:$B/%.o=$B/broken/%.d) $(wildcard $B/*.d $B/fuzz/*.d $B/host/*.d $B/vm/*.d)
