# The task table. CI runs `make lint` and `make check` and nothing else.

CARGO  ?= cargo
CORPUS ?= 6.1-amd64
prefix ?= /usr/local
PROGRAMS = modpost mk_elfconfig file2alias sumversion
BIN = target/release

KERNEL ?= 6.12
HISTORY ?= all

.PHONY: help build demo check check-layouts check-originals check-originals-all check-history check-kernel fetch install fmt lint needs

help:
	@echo 'make build             the programs, in $(BIN)'
	@echo 'make demo              run modpost on real drivers and show what it writes'
	@echo 'make check             all tests, as CI runs them'
	@echo 'make check-layouts     device-id structures beside what compilers make of them'
	@echo 'make check-originals   the original beside ours on all modules of CORPUS=$(CORPUS)'
	@echo 'make check-originals-all   the same on the modules of all corpora'
	@echo 'make check-history     the cases on originals compiled from source, of HISTORY=$(HISTORY)'
	@echo 'make check-kernel      the same on a small kernel, built from source, of KERNEL=$(KERNEL)'
	@echo 'make fetch             bring the originals and the modules of CORPUS into the cache'
	@echo 'make install           install into DESTDIR=$(DESTDIR) prefix=$(prefix)'
	@echo 'make fmt, make lint    format; check formatting, clippy, documentation'

build:
	$(CARGO) build --release --locked

# The main job, on real input: see the script.
demo: needs build
	CARGO='$(CARGO)' tests/demo

# Cases run on a build that checks arithmetic; a whole kernel on the fast one.
check: needs
	$(CARGO) build --locked --workspace
	$(CARGO) test --locked --workspace
	$(MAKE) check-layouts
	$(MAKE) check-originals CORPUS='$(CORPUS) golden'

check-layouts: build
	tests/needs cross
	$(BIN)/check-layouts

check-originals: needs build
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-originals $(CORPUS)

check-originals-all: needs build
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-originals golden $$($(BIN)/check-originals --list)

check-history: needs
	$(CARGO) build --locked --workspace
	KBUILD_RS_HISTORY='$(HISTORY)' $(CARGO) test --locked -p kbuild-rs-tests --test suite

check-kernel: needs build
	tests/needs kernel
	KBUILD_RS_BIN=$(BIN) $(BIN)/check-kernel $(KERNEL)

fetch: needs build
	$(BIN)/fetch $(CORPUS)

install: build
	install -d '$(DESTDIR)$(prefix)/bin'
	install -m 755 $(addprefix $(BIN)/,$(PROGRAMS)) '$(DESTDIR)$(prefix)/bin'

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps --quiet

# What the tests need beside Rust: a C compiler, an assembler, dpkg and apt.
needs:
	@tests/needs
