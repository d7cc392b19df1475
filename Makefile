# The task table. CI runs `make lint` and `make check-ci`.

CARGO  ?= cargo
CORPUS ?= 6.1-amd64
DEPMOD ?= 6.1-amd64 6.1-i386 6.12-amd64
prefix ?= /usr/local
# Debian has a directory of its own for the completions of packages.
ZSH ?= share/zsh/site-functions
COMPLETIONS = share/bash-completion/completions $(ZSH) share/fish/vendor_completions.d
PROGRAMS = modpost mk_elfconfig fixdep genksyms file2alias sumversion modcheck
# What puts them into kernel trees, what it asks, and the cases that that runs.
TOOLS = kbuild-rs-swap kbuild-rs-prove
# Those that shells complete.
COMPLETED = modpost mk_elfconfig genksyms file2alias sumversion modcheck kbuild-rs-swap
CASES = tests/recorded/cases.tar.zst
# What the swap takes from beside the programs.
BESIDE = scripts-compat/Kbuild $(CASES)
BIN = target/release

# Programs that need no shared library, for this machine or for TARGET. Cargo keeps a
# named target's apart, in target/NAME. Where the tree and the dependencies lie must
# not be seen in them.
HOSTS = aarch64 armhf i686 ppc64el riscv64 s390x
TARGET ?=
# What Rust and GNU call each.
RUST_aarch64 = aarch64-unknown-linux-gnu
RUST_armhf   = armv7-unknown-linux-gnueabihf
RUST_i686    = i686-unknown-linux-gnu
RUST_ppc64el = powerpc64le-unknown-linux-gnu
RUST_riscv64 = riscv64gc-unknown-linux-gnu
RUST_s390x   = s390x-unknown-linux-gnu
RUST_x86_64  = x86_64-unknown-linux-gnu
GNU_aarch64  = aarch64-linux-gnu
GNU_armhf    = arm-linux-gnueabihf
GNU_i686     = i686-linux-gnu
GNU_ppc64el  = powerpc64le-linux-gnu
GNU_riscv64  = riscv64-linux-gnu
GNU_s390x    = s390x-linux-gnu
GNU_x86_64   = x86_64-linux-gnu

HOST = $(or $(RUST_$(TARGET)),$(if $(TARGET),$(error TARGET is one of $(HOSTS) x86_64)),$(MACHINE))
# Asked once, and only by what needs it.
MACHINE = $(eval MACHINE := $(shell $(CARGO) -vV 2>/dev/null | sed -n 's/^host: //p'))$(MACHINE)
# For another machine than this one.
CROSS = $(if $(filter-out $(MACHINE),$(HOST)),\
	CARGO_TARGET_$(shell echo '$(HOST)' | tr a-z- A-Z_)_LINKER='$(GNU_$(TARGET))-gcc' CC_$(subst -,_,$(HOST))='$(GNU_$(TARGET))-gcc')
STATIC = target/$(HOST)/release
# What it is called here.
NAME = $(or $(TARGET),$(strip $(foreach name,$(HOSTS) x86_64,$(if $(filter $(RUST_$(name)),$(HOST)),$(name)))),$(HOST))
libdir = $(prefix)/lib/kbuild-rs
CARGO_HOME ?= $(HOME)/.cargo
PREFIXES = $(CURDIR)=/usr/src/kbuild-rs $(CARGO_HOME)=/usr/src/cargo
STATIC_RUSTFLAGS = -C target-feature=+crt-static -C strip=symbols $(addprefix --remap-path-prefix=,$(PREFIXES)) $(RUSTFLAGS)
STATIC_CFLAGS = $(addprefix -ffile-prefix-map=,$(PREFIXES)) $(CFLAGS)
# What --version says beside the version: the commit of a clone, or of the tarball that
# `make vendor` makes.
COMMIT ?= $(shell cat COMMIT 2>/dev/null || { [ -e .git ] && git rev-parse --short=12 HEAD; })

KERNEL ?= 5.10 6.1 6.12 7.3 6.12-arm64
# What check-packaging packages, and builds.
PACKAGED ?= 6.12 7.3 6.1 6.12-arm64 7.3-arm64
BUILT ?= 6.12-llvm 6.12-lto 6.12-trim
HISTORY ?= all
# What check-hosts compares.
RELEASES ?= 5.10 6.12
FRESH ?= bookworm trixie
MUTANTS ?= 5.10 6.1 6.12 7.3
N ?= 20000
TEXTS ?= 10000
# What check-boot boots.
BOOT ?= 5.10 6.1 6.12 7.3 6.12-booted 7.3-extended
# What check-calls builds.
CALLS ?= 5.10 6.1 6.12 7.3
SECONDS ?= 60
# Outside the tree, and kept.
CACHE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kbuild-rs

BENCH  ?=

.PHONY: help build demo docs bench bench-hot check check-depmod check-layouts check-originals check-originals-all \
	check-recorded check-original record \
	check-headers check-history check-hosts check-host check-mutants check-texts check-declared check-symvers check-calls check-faults fuzz \
	check-boot check-ci check-fresh check-kernel check-packages check-packaging fetch static static-crates install install-programs install-tools deb vendor swap unswap fmt lint needs

help:
	@echo 'make build             the programs, in $(BIN)'
	@echo 'make demo              run modpost on real drivers and show what it writes'
	@echo 'make check             all tests'
	@echo 'make check-ci          demo and check as CI runs them: in a new root, if that can be made'
	@echo 'make check-fresh       demo and check on new machines: roots of the Debian releases FRESH=$(FRESH)'
	@echo 'make check-layouts     device-id structures beside what compilers make of them'
	@echo 'make check-originals   the original beside ours on all modules of CORPUS=$(CORPUS)'
	@echo 'make check-originals-all   the same on the modules of all corpora'
	@echo 'make check-depmod      aliases of all modules of DEPMOD=$(DEPMOD), as depmod finds them'
	@echo 'make check-recorded    the cases that were recorded, of all kernels or RECORDED=names'
	@echo 'make check-original    the cases on the original NAME in the directory ORIGINAL'
	@echo 'make record            record what the original NAME in the directory ORIGINAL does'
	@echo 'make check-history     the cases on originals compiled from source, of HISTORY=$(HISTORY)'
	@echo 'make check-hosts       the programs for HOSTS=$(HOSTS), beside originals for them'
	@echo 'make check-mutants     N=$(N) corrupted objects, beside sanitized originals of MUTANTS=$(MUTANTS)'
	@echo 'make check-declared    genksyms on what the headers of five kernels declare, or SETS of them'
	@echo 'make check-symvers     genksyms on every source that exports something; STEP=50 takes a sample'
	@echo 'make check-calls       every call of fixdep and genksyms that kernels of CALLS=$(CALLS) make'
	@echo 'make check-texts       TEXTS=$(TEXTS) corrupted texts for each kernel, beside genksyms and fixdep'
	@echo 'make check-faults      faults that take minutes, or the right to mount a small disk'
	@echo 'make fuzz              each fuzz target for SECONDS=$(SECONDS)'
	@echo 'make check-headers     modules of others, built against a headers package'
	@echo 'make check-boot        modcheck, beside the kernels of BOOT=$(BOOT) in an emulator'
	@echo 'make check-kernel      the same on small kernels, built from source, of KERNEL=$(KERNEL)'
	@echo 'make bench             time the originals and ours, write docs/benchmarks.md; BENCH=cases'
	@echo 'make bench-hot         time the hot functions, against the run before'
	@echo 'make docs              manual pages and completions, from the command lines'
	@echo 'make fetch             bring the originals and the modules of CORPUS into the cache'
	@echo 'make check-packaging   headers packages that kbuild makes of PACKAGED=$(PACKAGED)'
	@echo 'make check-packages    static programs and the Debian package, made twice'
	@echo 'make swap KDIR=DIR     use kbuild-rs in a kernel tree or headers package'
	@echo 'make unswap KDIR=DIR   use the originals there again'
	@echo 'make static            the programs without any shared library, in $(STATIC); TARGET=machine'
	@echo 'make static-crates     the crates in them, and their licences'
	@echo 'make install           install these into DESTDIR=$(DESTDIR) prefix=$(prefix)'
	@echo 'make deb               Debian packages, in target'
	@echo 'make vendor            the sources with all crates, in target: builds without network'
	@echo 'make fmt, make lint    format; check formatting, clippy, documentation, dependencies'

build:
	$(CARGO) build --release --locked

# The main job, on real input: see the script. The programs are those that the
# tests run, which are built sooner than those that are installed.
demo: needs
	$(CARGO) build --quiet --locked -p kbuild-rs-debian $(addprefix -p ,$(PROGRAMS))
	tests/demo target/debug

# All tests, on a build that checks arithmetic.
check:
	tests/needs check
	$(CARGO) build --locked --workspace
	CARGO='$(CARGO)' target/debug/check $(CORPUS)

# As root. Each release takes half an hour and 6 GB.
check-fresh:
	tests/needs fresh
	tests/fresh $(FRESH)

# As root: what README promises, on a new machine. Otherwise demo and check, on this one.
check-ci:
	KBUILD_RS_FRESH_STEPS=ci tests/fresh trixie

check-layouts: build
	tests/needs check
	$(BIN)/check-layouts

check-depmod: build
	tests/needs check
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-depmod $(DEPMOD)

check-originals: needs build
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-originals $(CORPUS)

check-originals-all: needs build
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-originals golden $$($(BIN)/check-originals --list)

# ORIGINAL is a directory with an original's programs, NAME its kernel, as in
# 6.12.117 or ubuntu/6.8.1. Without ORIGINAL, those that have a package.
record: needs
	KBUILD_RS_ORIGINAL='$(abspath $(ORIGINAL))' KBUILD_RS_RECORD='$(or $(NAME),packaged)' \
		$(CARGO) test --locked -p kbuild-rs-tests --test suite

# The same originals, compared with ours.
check-original: needs
	$(CARGO) build --locked --workspace
	KBUILD_RS_ORIGINAL='$(abspath $(ORIGINAL))' KBUILD_RS_COMPARE='$(NAME)' \
		$(CARGO) test --locked -p kbuild-rs-tests --test suite

check-recorded:
	$(CARGO) build --locked --workspace
	target/debug/check-recorded $(RECORDED)

check-history: needs
	tests/needs source
	$(CARGO) build --locked --workspace
	KBUILD_RS_HISTORY='$(HISTORY)' $(CARGO) test --locked -p kbuild-rs-tests --test suite

# Programs for each of HOSTS, beside originals that are compiled for it, under its
# emulator.
check-hosts: needs
	tests/needs source
	tests/needs hosts $(HOSTS)
	set -e; for host in $(HOSTS); do $(MAKE) --no-print-directory check-host TARGET=$$host; done

check-host: static
	KBUILD_RS_BIN='$(CURDIR)/$(STATIC)' KBUILD_RS_HOST='$(TARGET)' KBUILD_RS_HISTORY='$(RELEASES)' \
		$(CARGO) test --locked -p kbuild-rs-tests --test suite -- $(SUITE)

# Ours on a build that checks arithmetic, here and below.
check-texts: needs build
	$(CARGO) build --locked -p fixdep -p genksyms
	KBUILD_RS_BIN=target/debug $(BIN)/check-texts $(TEXTS)

check-declared: needs build
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-declared $(SETS)

# Some two hours; STEP=50 takes each fiftieth source.
check-symvers: needs build
	tests/needs source
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-symvers $(STEP)

check-calls: needs build static
	tests/needs kernel
	KBUILD_RS_BIN=$(STATIC) $(BIN)/check-calls $(CALLS)

check-mutants: needs build
	tests/needs source
	$(CARGO) build --locked -p modpost
	for release in $(MUTANTS); do KBUILD_RS_BIN=target/debug $(BIN)/check-mutants $$release $(N) || exit; done

check-faults: needs build
	KBUILD_RS_BIN='$(CURDIR)/$(BIN)' $(CARGO) test --locked --release -p kbuild-rs-tests --test faults -- --include-ignored

fuzz: needs build
	tests/needs fuzz
	$(BIN)/fuzz-seeds '$(CACHE)/fuzz'
	tests/fuzz/run '$(SECONDS)' '$(CACHE)/fuzz' '$(CACHE)/tools'

check-headers: needs build static
	tests/needs kernel
	KBUILD_RS_BIN=$(STATIC) $(BIN)/check-headers

check-boot: needs build static
	tests/needs kernel
	tests/needs boot
	KBUILD_RS_BIN=$(STATIC) $(BIN)/check-boot $(BOOT)

check-kernel: needs build static
	tests/needs kernel
	KBUILD_RS_BIN=$(STATIC) $(BIN)/check-kernel $(KERNEL)

# Also in-tree, as several distributions build. They are built where a package has
# failed, too: each takes long, and says something of its own.
check-packaging: needs build static
	tests/needs kernel
	tests/needs hosts aarch64
	tests/needs packaging
	$(MAKE) --no-print-directory static TARGET=aarch64
	KBUILD_RS_BIN=$(STATIC) $(BIN)/check-packaging target/$(RUST_aarch64)/release $(PACKAGED); \
		packaged=$$?; KBUILD_RS_BIN=$(STATIC) $(BIN)/check-kernel $(BUILT) && exit $$packaged

check-packages: needs
	tests/needs packages
	tests/packages

# On a machine that does nothing else. BENCH="a e" measures these cases and
# prints them.
bench: needs build
	tests/needs kernel
	install -m 644 $(BESIDE) '$(BIN)'
	KBUILD_RS_BIN=$(BIN) $(BIN)/bench $(BENCH)

bench-hot:
	$(CARGO) bench --locked -p kbuild-rs-hot

docs: build
	$(BIN)/docs

fetch: needs build
	$(BIN)/fetch $(CORPUS)

static:
	$(CROSS) RUSTFLAGS='$(STATIC_RUSTFLAGS)' CFLAGS='$(STATIC_CFLAGS)' KBUILD_RS_COMMIT='$(COMMIT)' \
		$(CARGO) build --release --locked --target '$(HOST)' $(addprefix -p ,$(PROGRAMS) $(TOOLS))
	install -m 644 $(BESIDE) '$(STATIC)'

# The programs for a machine lie together in a directory of its name, and several
# machines' beside each other. What lies beside them are the links to those that run
# here; what people call is linked from bin.
install: static install-programs install-tools

install-programs:
	install -d '$(DESTDIR)$(libdir)/$(NAME)'
	install -m 755 $(addprefix $(STATIC)/,$(PROGRAMS) $(TOOLS)) '$(DESTDIR)$(libdir)/$(NAME)'

install-tools:
	install -d $(addprefix '$(DESTDIR)$(prefix)'/,bin sbin lib/kbuild-rs share/man/man1 share/man/man5 share/man/man7 share/man/man8 $(COMPLETIONS))
	for program in $(PROGRAMS) $(TOOLS); do ln -sf $(NAME)/$$program '$(DESTDIR)$(libdir)'; done
	for program in $(PROGRAMS); do ln -sf ../lib/kbuild-rs/$$program '$(DESTDIR)$(prefix)/bin'; done
	install -m 644 $(CASES) '$(DESTDIR)$(libdir)'
	ln -sf ../lib/kbuild-rs/kbuild-rs-swap '$(DESTDIR)$(prefix)/sbin'
	sed 's|/usr/lib/kbuild-rs|$(libdir)|' scripts-compat/Kbuild >'$(DESTDIR)$(libdir)/Kbuild'
	chmod 644 '$(DESTDIR)$(libdir)/Kbuild'
	install -m 755 scripts-compat/headers-changed '$(DESTDIR)$(libdir)'
	for section in 1 5 7 8; do install -m 644 docs/man/*.$$section '$(DESTDIR)$(prefix)'/share/man/man$$section; done
	for program in $(COMPLETED); do \
		install -m 644 docs/completions/$$program.bash \
			'$(DESTDIR)$(prefix)'/$(word 1,$(COMPLETIONS))/$$program; \
		install -m 644 docs/completions/_$$program '$(DESTDIR)$(prefix)'/$(word 2,$(COMPLETIONS)); \
		install -m 644 docs/completions/$$program.fish '$(DESTDIR)$(prefix)'/$(word 3,$(COMPLETIONS)); \
	done

# The crates of others that are linked into what is installed, with their licences.
static-crates:
	@$(CARGO) tree --locked --edges normal,no-proc-macro --prefix none --format '{p}: {l}' \
		--target '$(HOST)' $(addprefix -p ,$(PROGRAMS) $(TOOLS)) | sed -e '/^$$/d' -e '/ (\//d' -e 's/ (\*)$$//' | LC_ALL=C sort -u

deb:
	scripts-compat/make-deb

vendor:
	scripts-compat/vendor

swap: static
	'$(STATIC)/kbuild-rs-swap' '$(KDIR)'

unswap: static
	'$(STATIC)/kbuild-rs-swap' --undo '$(KDIR)'

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) check --quiet --locked --manifest-path tests/fuzz/Cargo.toml
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps --quiet
	tests/deny '$(CACHE)/tools'

# What the tests need beside Rust: a C compiler, an assembler, dpkg and apt.
needs:
	@tests/needs
