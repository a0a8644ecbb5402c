# Two commands matter: `make run` does the main job, `make test` proves it.
# Each installs what it needs (as root on Debian), and says what is missing otherwise.

SHELL := /bin/bash
.DEFAULT_GOAL := help
SERVICES := services
CARGO := cargo
MANIFEST := --manifest-path $(SERVICES)/Cargo.toml
# What measures and storms: a workspace of its own, in the same target folder.
TOOLS := --manifest-path tools/Cargo.toml
# Where cargo puts what it builds: CARGO_TARGET_DIR may say another place than .cargo/config.toml.
TARGET = $(or $(shell $(CARGO) metadata $(MANIFEST) --no-deps --format-version 1 \
	| sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'),$(error `cargo metadata` names no target folder: see what it says))
HOST := aws-prod
# What tests can die at, beside what is shipped.
TEST_FLAGS := --workspace --features hypervisor/fail-points

.PHONY: help run programs test test-tools check-apps bench flood swap-storm fmt check check-tools docs deploy screenshots clean \
	toolchain browser acme promtool postgres peers

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -ts "$$(printf '\t')"

# Until somebody adds another release, dev is given one of another colour. A background job does not hear Ctrl-C, but
# asks no longer than the gateway lives, which has the shell's own process id.
run: toolchain ## Build and serve on http://localhost:9090, state under ./.state; dev has a second release to promote
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p sandbox
	@hypervisor="$(TARGET)/release/hypervisor"; \
	{ until releases="$$("$$hypervisor" releases sandbox --json)"; do sleep 0.2; kill -0 $$$$ || exit; done; \
	  [ "$$(grep -c '"number"' <<<"$$releases")" != 1 ] \
	  || "$$hypervisor" release add sandbox --env SANDBOX_ACCENT=#c2410c; } >/dev/null 2>&1 & \
	exec "$$hypervisor" serve

programs: ## Say where the built programs are
	@echo "$(TARGET)/release"

test: toolchain browser acme promtool postgres ## Run every test, browser included
	$(CARGO) test $(MANIFEST) --locked $(TEST_FLAGS) --no-fail-fast
	@$(MAKE) --no-print-directory test-tools

# The storm is brought over target/debug/hypervisor, which the tests of the services build.
test-tools: toolchain
	$(CARGO) test $(TOOLS) --locked --workspace --no-fail-fast

check-apps: toolchain browser ## Have real apps (Vite, JupyterLab, Streamlit, noVNC) work as live and as dev
	$(CARGO) build $(MANIFEST) --locked -p sandbox
	@.ci/install-deps npm python3 websockify Xtigervnc
	$(CARGO) test $(MANIFEST) --locked $(TEST_FLAGS) --test apps -- --ignored

flood: toolchain peers ## Flood the gateway, and say what honest clients notice and what it costs
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p sandbox
	$(CARGO) build $(TOOLS) --release --locked -p bench
	@PATH="$$PATH:/usr/sbin" "$(TARGET)/release/flood"

# STORM="--seed 7 --swaps 500" makes another one, STORM=--promote is the storm with data; --help says what there is.
swap-storm: toolchain ## Swap, break and restart under a million requests, and account for each
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor
	$(CARGO) build $(TOOLS) --release --locked -p swap-storm
	@exec "$(TARGET)/release/swap-storm" $(STORM)

# CASE="tls h2" runs these cases alone (growth, hop and cold-start, which have no peers, only so), ROUNDS= and SECS= make
# it longer, BEFORE=<program> measures an older hypervisor beside this one, and WRITE=1 writes tools/BENCH.md.
BENCH_FLAGS := $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECS),--secs $(SECS)) \
	$(if $(BEFORE),--before $(BEFORE)) $(if $(WRITE),--write tools/BENCH.md)
bench: toolchain peers ## Measure the hypervisor beside nginx, HAProxy and Caddy
	$(CARGO) build $(MANIFEST) --release --locked -p hypervisor -p sandbox
	$(CARGO) build $(TOOLS) --release --locked -p bench
	@PATH="$$PATH:/usr/sbin" "$(TARGET)/release/bench" $(CASE) $(BENCH_FLAGS)

fmt: toolchain ## Format everything, as treefmt.toml says
	@.ci/fmt

check: toolchain ## Formatting, lints and licences, without running anything
	@.ci/fmt --ci
	$(call lint,$(SERVICES),$(TEST_FLAGS))
	$(call lint,tools,--workspace)
	@if command -v nix >/dev/null; then .ci/flake --no-build; \
	else echo "nix is not installed: the flake is not evaluated"; fi

check-tools: toolchain
	$(call lint,tools,--workspace)

# lint FOLDER,FLAGS
define lint
$(CARGO) clippy --manifest-path $(1)/Cargo.toml --locked $(2) --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" $(CARGO) doc --manifest-path $(1)/Cargo.toml --locked --workspace --no-deps --quiet
@if command -v cargo-deny >/dev/null; then \
	cargo deny --manifest-path "$(CURDIR)/$(1)/Cargo.toml" --config "$(CURDIR)/$(SERVICES)/deny.toml" check bans licenses sources; \
	else echo "cargo-deny is not installed: the licences of $(1) are not checked"; fi
endef

docs: toolchain ## Write the generated pages below docs/ anew
	UPDATE_DOCS=1 $(CARGO) test $(MANIFEST) --locked -p hypervisor --lib config::page
	@if command -v nix >/dev/null; then install -m 644 "$$(nix build --no-link --print-out-paths .#options-doc)/options.md" docs/options.md; \
	else echo "nix is not installed: docs/options.md is as it was"; fi

deploy: ## Build, show what changes, deploy to $(HOST), verify (needs Nix)
	nix run .#deploy -- $(HOST)

# All sizes and schemes go to the target folder; the README shows three of them.
screenshots: toolchain browser ## Take the README's pictures anew
	shots="$(TARGET)/screenshots" && mkdir -p "$$shots" docs/images \
	&& SCREENSHOTS="$$shots" $(CARGO) test $(MANIFEST) --locked $(TEST_FLAGS) --test browser_screenshots \
	&& cp "$$shots"/{account-desktop-light,account-desktop-dark,sandbox-desktop-light}.png docs/images/

clean: ## Remove what was built; accounts under ./.state stay
	$(CARGO) clean $(MANIFEST)

toolchain:
	@.ci/install-deps cargo cc

browser:
	@.ci/install-deps chromium

# An ACME server for the tests.
acme:
	@.ci/install-deps pebble

# Says whether our metrics, and what Prometheus is to make of them, are right.
promtool:
	@.ci/install-deps promtool

# Where it can't be had, the tests that need it say that they were skipped.
postgres:
	@.ci/install-deps postgres || true

peers:
	@PATH="$$PATH:/usr/sbin" .ci/install-deps wrk h2load nginx haproxy caddy openssl
