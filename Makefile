# Two commands matter: `make run` does the main job, `make test` proves it.
# Each installs what it needs (as root on Debian), and says what is missing otherwise.

SHELL := /bin/bash
.DEFAULT_GOAL := help
SERVICES := services
CARGO := cargo
MANIFEST := --manifest-path $(SERVICES)/Cargo.toml
# Where cargo puts what it builds: CARGO_TARGET_DIR and build.target-dir may say another place than services/target.
TARGET = $(or $(shell $(CARGO) metadata $(MANIFEST) --no-deps --format-version 1 \
	| sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'),$(error `cargo metadata` names no target folder: see what it says))
HOST := aws-prod
# What tests can die at, beside what is shipped.
TEST_FLAGS := --workspace --features hypervisor/fail-points

.PHONY: help run programs test bench flood swap-storm fmt check deploy screenshots clean tools browser peers

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -ts "$$(printf '\t')"

run: tools ## Build and serve on http://localhost:9090, with all state under ./.state
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p sandbox
	@exec "$(TARGET)/release/hypervisor" serve

programs: ## Say where the built programs are
	@echo "$(TARGET)/release"

test: tools browser ## Run every test, browser included
	$(CARGO) test $(MANIFEST) --locked $(TEST_FLAGS) --no-fail-fast

flood: tools ## Flood the gateway, and say what honest clients notice and what it costs
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p bench
	@"$(TARGET)/release/flood"

# STORM="--seed 7 --swaps 500" makes another one; --help says what there is.
swap-storm: tools ## Swap, break and restart under a million requests, and account for each
	$(CARGO) build $(MANIFEST) --release --locked --no-default-features -p hypervisor -p testkit
	@exec "$(TARGET)/release/swap-storm" --hypervisor "$(TARGET)/release/hypervisor" $(STORM)

# CASE=small runs one case, ROUNDS= and SECS= make it longer, BEFORE=<program> measures an older hypervisor
# beside this one, and WRITE=1 writes services/BENCH.md. CASE=growth and CASE=cold-start have no peers.
BENCH_FLAGS := $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECS),--secs $(SECS)) \
	$(if $(BEFORE),--before $(BEFORE)) $(if $(WRITE),--write $(SERVICES)/BENCH.md)
bench: tools peers ## Measure the hypervisor beside nginx and HAProxy
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p sandbox -p bench
	@PATH="$$PATH:/usr/sbin" "$(TARGET)"/release/$(if $(filter growth cold-start,$(CASE)),$(CASE),bench $(CASE)) $(BENCH_FLAGS)

fmt: ## Format everything (Nix too, where nixfmt is)
	$(CARGO) fmt --manifest-path $(SERVICES)/Cargo.toml --all
	@if command -v nixfmt >/dev/null; then git ls-files '*.nix' | xargs nixfmt; fi

check: tools ## Formatting, lints and licences, without running anything
	$(CARGO) fmt --manifest-path $(SERVICES)/Cargo.toml --all --check
	$(CARGO) clippy $(MANIFEST) --locked $(TEST_FLAGS) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(MANIFEST) --locked --workspace --no-deps --quiet
	@if command -v cargo-deny >/dev/null; then cd $(SERVICES) && cargo deny check bans licenses sources; \
	else echo "cargo-deny is not installed: licences are not checked"; fi
	@if command -v nix >/dev/null; then .ci/flake --no-build; \
	else echo "nix is not installed: the flake is not evaluated"; fi

deploy: ## Build, show what changes, deploy to $(HOST), verify (needs Nix)
	nix run .#deploy -- $(HOST)

# All sizes and schemes go to the target folder; the README shows three of them.
screenshots: tools browser ## Take the README's pictures anew
	shots="$(TARGET)/screenshots" && mkdir -p "$$shots" docs/images \
	&& SCREENSHOTS="$$shots" $(CARGO) test $(MANIFEST) --locked $(TEST_FLAGS) --test browser_screenshots \
	&& cp "$$shots"/{account-desktop-light,account-desktop-dark,sandbox-desktop-light}.png docs/images/

clean: ## Remove what was built; accounts under ./.state stay
	$(CARGO) clean $(MANIFEST)

tools:
	@.ci/install-deps cargo cc

browser:
	@.ci/install-deps chromium

peers:
	@PATH="$$PATH:/usr/sbin" .ci/install-deps wrk nginx haproxy
