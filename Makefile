# What a person and the checks run; `make` alone lists it.
#
# Everything is built in one target folder: CARGO_TARGET_DIR if it is set, else ./target.

CARGO   ?= cargo
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
DESTDIR ?=

export CARGO PREFIX LIBDIR DESTDIR

# What the checks are built with: all that there is.
FEATURES := hongyan/testing,hongyan/outbox,hongyan/postgres

.DEFAULT_GOAL := help
.PHONY: help build demo size test counts simulation torture soak bench python wheels test-wheels test-python test-go \
	test-node test-kotlin test-swift test-judges test-synapse bench-python bench-bindings lint header golden truth truth-peers accounts \
	install uninstall install-command uninstall-command clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

build: ## build the library, the sandbox and the command (debug)
	$(CARGO) build --locked --workspace

demo: ## build, start the sandbox, send through every service from C, print a table
	tools/demo.sh

size: ## build the C library as small as it gets; prints where it is
	@tools/size-build

test: ## run every part of the tests and say what failed; installs missing C tools, where it may
	FEATURES=$(FEATURES) tools/test-all

.PHONY: test-all test-systems test-musl test-windows test-arm64 check-android check-apple
test-all: ## all of `make test`, and what takes long: other systems, and what is built for them
	FEATURES=$(FEATURES) tools/test-all everything

test-systems: ## what `make test-all` has beside `make test`
	FEATURES=$(FEATURES) tools/test-all systems

test-musl: ## build the command and the C library for musl, and send with them
	tools/test-musl

test-windows: ## build for Windows; C programs, the library's and the command's tests under wine, from Debian
	FEATURES=$(FEATURES) tools/test-windows

test-arm64: ## build for 64-bit ARM; C programs and the library's tests under qemu, from Debian
	FEATURES=$(FEATURES) tools/test-arm64

check-android: ## check that the library and its C ABI compile for Android; nothing of it runs
	tools/check-android

check-apple: ## check that the library and its C ABI compile for iOS and macOS; nothing of it runs
	tools/check-apple

counts: ## count instructions and allocations a message, and bytes of the library; fails where they grew
	tools/bench-tools counts
	benches/gate.py

SEEDS    ?= 200
MESSAGES ?= 10000

simulation: ## the engine in SEEDS random worlds of MESSAGES messages each; HY_SEED=n replays one
	HY_SEEDS=$(SEEDS) HY_MESSAGES=$(MESSAGES) \
		$(CARGO) test --locked -p hongyan --profile simulation --lib simulation

torture: ## a million messages a world; 500 kills of an outbox and of a fleet, 2,000 cuts of its power
	$(MAKE) --no-print-directory simulation SEEDS=8 MESSAGES=1000000
	HY_KILLS=500 HY_MESSAGES=20000 HY_CUTS=2000 HY_FAULTS=600 $(CARGO) test --locked --release -p hongyan \
		--features outbox,testing --test outbox_kill --test outbox_power
	HY_KILLS=500 $(CARGO) test --locked --release -p hongyan --features postgres,testing --test fleet
	HY_SEEDS=5000 $(CARGO) test --locked --release -p hongyan --features outbox,testing --test custody_worlds

SECONDS  ?= 600

soak: ## 64 in flight against a faulty sandbox for SECONDS seconds; the verdicts are reconciled
	$(CARGO) run --locked --release --example soak -- --seconds $(SECONDS)

bench: ## measure beside libcurl, reqwest and hyper; writes docs/benchmarks.md (RUNS=9)
	tools/bench-tools
	benches/run.py --write
	$(CARGO) bench --locked -p hongyan --features outbox,testing --bench outbox --bench accounts --bench waiting --bench mail
	$(CARGO) bench --locked -p hongyan --features postgres,testing --bench postgres --bench fleet
	benches/durable.py

bench-bindings: ## measure a send through every binding beside C; writes docs/benchmarks.md (RUNS=5)
	tools/bench-tools counts
	tools/bench-bindings --write

python: ## build the Python wheel for this machine, for release, into target/wheels
	tools/python-wheel

wheels: ## build the Python wheels for x86-64 and arm64, glibc and musl, and the source distribution into target/wheels
	tools/wheels

test-wheels: ## send with each of the Python wheels, and test what the source distribution makes
	tools/test-wheels

test-python: ## build the wheel, install it into a fresh environment, test that
	tools/python-test

test-go: ## test the Go package, by a Go of its own, under the race detector
	tools/test-go

test-node: ## test the Node.js package and its types
	tools/test-node

test-kotlin: ## compile the Kotlin package, test it in a JVM that checks JNI; installs a JDK and the compiler
	tools/test-kotlin

test-swift: ## test the Swift package in a Debian trixie that the first run makes; needs root, takes 3 GB
	FEATURES=$(FEATURES) tools/test-swift

test-synapse: ## send to a real homeserver of Matrix
	tools/test-synapse

test-judges: ## let clients that others wrote, and a browser, judge the sandbox
	tools/test-judges

bench-python: ## compare the Python package with other clients
	tools/python-bench

lint: ## formatting, clippy, documentation, the build without a C ABI, header drift
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features $(FEATURES) -- -D warnings
	$(CARGO) clippy --locked -p hongyan --lib -- -D warnings
	$(CARGO) clippy --locked -p hongyan --lib --no-default-features --features services,tls-ring -- -D warnings
	tools/services-alone fanfou telegram tencent_im
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps
	$(CARGO) test --locked -p hongyan --test header
	tools/python-lint

header: ## write include/hongyan.h anew from src/capi
	HY_BLESS=1 $(CARGO) test --locked -p hongyan --test header

golden: ## write the golden requests anew; read the difference before committing it
	HY_BLESS=1 $(CARGO) test --locked -p hongyan --lib golden

truth: ## write docs/truth.md anew from tests/corpus
	HY_BLESS=1 $(CARGO) test --locked -p hongyan --test truth

truth-peers: ## give the corpus's answers to clients of others; writes docs/truth-peers.md
	tools/truth-peers

accounts: ## write the tables of docs/services and the account types of Python, Go, Kotlin, Node.js and Swift anew
	HY_BLESS=1 $(CARGO) test --locked -p hongyan --test accounts

install: ## install library, headers, manual pages, pkg-config and CMake files (PREFIX=/usr/local DESTDIR=)
	tools/install.sh

uninstall: ## take away what install has put there
	tools/install.sh uninstall

install-command: ## install the command with its manual pages and completions (PREFIX=/usr/local DESTDIR=)
	tools/install-command

uninstall-command: ## take away what install-command has put there
	tools/install-command uninstall

clean: ## remove what was built
	$(CARGO) clean
