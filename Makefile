# Resettle's targets. Each recipe is one line; what is longer is a script or a program.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# deploy/setup puts a Node.js here when the machine's own is missing or too old.
export PATH := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/resettle/bin:$(PATH)
# Options of deploy/setup: `make demo ARGS=--no-install` installs nothing.
ARGS ?=
# Options of the demo itself: `make demo DEMO='--out /tmp/shop'`.
DEMO ?=

.PHONY: help test-typescript setup setup-demo demo up test test-unit model chaos corpus properties fuzz fmt lint bench-crawl bench-sse bench-jobs chaos-stream bench-transform next-14 soak upgrade-test upgrade-record bench-snapshot ci

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what development and tests need (says what and why first)
	@deploy/setup test $(ARGS)

setup-demo: ## Install just what running Resettle needs
	@deploy/setup demo $(ARGS)

demo: setup-demo ## Move the bundled example website, end to end, and build the result
	@cargo run --locked --bin resettle -- demo $(DEMO)

up: setup-demo ## Run everything in one process, with a Postgres of its own
	@cargo run --locked --bin resettle -- up

test: setup ## Everything, against private servers started for this run
	@tests/run

test-typescript: clients/typescript/node_modules/.installed ## The TypeScript client alone
	@cd clients/typescript && npm test --silent

clients/typescript/node_modules/.installed: clients/typescript/package.json clients/typescript/package-lock.json
	@cd clients/typescript && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.installed

test-unit: ## What needs no server: the tests beside the code
	@cargo test --workspace --locked --lib

model: ## Visit every state of the model of a job's life, with FAULTS=n more faults than `make test`
	@MODEL_FAULTS=$(or $(FAULTS),0) cargo test --locked -p model -- --nocapture

chaos: setup ## Play schedules of faults against real processes (SEED=n SCHEDULES=n; a failing seed replays)
	@cargo build --locked --bins && CHAOS_SEED=$(SEED) CHAOS_SCHEDULES=$(SCHEDULES) tests/run cargo test --locked -p tests --test it -- chaos --nocapture

chaos-stream: setup ## Kill broadcasters, broker and Postgres while 1,000 migrations write and 200 clients come and go (SEED=n)
	@cargo build --locked --bins && STREAMS_SEED=$(SEED) STREAMS_MIGRATIONS=1000 STREAMS_LISTENERS=180 STREAMS_FEEDS=20 STREAMS_STRIKES=24 tests/run cargo test --locked -p tests --test it -- streams --nocapture

soak: setup ## The same gently for HOURS=n (0.1 is six minutes): memory, connections and tables must not grow
	@cargo build --locked --bins && SOAK_HOURS=$(or $(HOURS),1) tests/run cargo test --locked -p tests --test it -- chaos::whatever --nocapture

upgrade-test: setup ## The release before beside this one: its statements, and once there is a tag its workers, while things break
	@tests/upgrade

upgrade-record: setup ## Write down what this release asks of the database, for those after it
	@RESETTLE_RECORD=1 tests/run cargo test --locked -p store --test it -- recorded

corpus: setup ## Move all pages of every site below CORPUS=dir and compare them in the browser (takes hours)
	@tests/corpus/run $(CORPUS)

next-14: setup ## Move the bundled example as a project of Next.js 14, build it and compare it in the browser
	@cargo run --locked --bin resettle -- convert --next 14 --compare always --out target/next-14 crates/resettle/example-site

properties: setup ## The property tests on inputs that nobody has seen (ROUNDS=n)
	@tests/run tests/properties $(or $(ROUNDS),10)

fuzz: ## Feed each parser of others' content with nonsense for a minute (SECONDS=60)
	@tests/fuzz/run $(or $(SECONDS),60)

fmt: ## Format the code
	@cargo fmt --all

lint: ## Formatting and clippy, as CI wants them
	@cargo fmt --all --check && cargo clippy --workspace --all-targets --locked -- -D warnings

bench-crawl: ## The crawl beside wget2 and HTTrack, and its memory (installs both, takes minutes)
	@crates/site-read/benches/run

bench-transform: ## TRANSFORM with its lint beside two npm converters (SITE=dir for other pages than the default)
	@crates/site-check/benches/run $(SITE)

bench-sse: setup ## The streams beside nginx with nchan: delay, deliveries, memory (installs both, takes minutes)
	@crates/realtime-broadcaster/benches/run

bench-jobs: ## The job system beside a well-known queue on one Postgres (installs it from npm, takes minutes)
	@crates/store/benches/run

bench-snapshot: setup ## How claims fare while somebody holds a snapshot
	@tests/run cargo bench --locked -p store --bench held_snapshot

ci: ## Exactly what CI runs
	@.ci/run
