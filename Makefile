# `make help` says what there is. The work itself is in deploy/local, in scripts that run without make too.
.DEFAULT_GOAL := help
.PHONY: help run stop restart servers seed load reconcile build test test-fast chaos bench rebuild-view switch test-matrix scale lint clean
local := deploy/local

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: bash ## the whole system: http://127.0.0.1:8080, ended by Ctrl-C (BROKER=redis|kafka|rabbitmq, STATE=redis|mysql|postgresql)
	@$(local)/run.sh

stop: bash ## ends what `make run` or `make servers` started in another shell
	@$(local)/stop.sh

switch: bash ## the running system to another broker, without losing an event: make switch TO=kafka
	@$(local)/switch.sh "$(TO)"

restart: bash ## one service again: make restart APP=reservation (SIDECAR=1: its sidecar as well)
	@$(local)/restart.sh "$(APP)" $(if $(SIDECAR),sidecar)

scale: bash ## replicas of one service, each with its sidecar: make scale APP=reservation N=3 (N=1: one again)
	@$(local)/scale.sh "$(APP)" "$(N)"

servers: bash build ## only the database, broker, store, issuer and payment simulator, for a `dapr run -f dapr.yaml` of your own
	@$(local)/install.sh
	@$(local)/dapr.sh
	@$(local)/kafka.sh
	@$(local)/servers.sh start
	@file=$$($(local)/runfile.sh); file=$${file#$(CURDIR)/}; \
	echo "They run; 'make stop' ends them. Now, with the Dapr that is installed or else the one that was built:"; \
	echo "  DAPR_RUNTIME_PATH=$(CURDIR)/.run/dapr .run/bin/dapr run -f $$file"; \
	echo "or without daprd.sh, which gives less protection (deploy/local/README.md says what is missing then):"; \
	echo "  set -a; . .run/env/servers.env; set +a; dapr run -f $$file"

seed: bash ## demo products into an empty, running system
	@$(local)/seed.sh

load: bash ## many products and reservations into the running system: make load PRODUCTS=10000 RESERVATIONS=100000
	@$(local)/load.sh $(or $(PRODUCTS),10000) $(or $(RESERVATIONS),100000)

reconcile: bash ## compares the books of a day in the running system: make reconcile DATE=2026-11-22
	@$(local)/reconcile.sh $(DATE)

rebuild-view: bash ## makes the documents of the view anew in the running system, while the old ones are read
	@$(local)/rebuild-view.sh

build: bash ## the services into .run/bin
	@$(local)/build.sh

test: bash ## everything that needs no cluster, with the race detector, on real servers and real sidecars
	@$(local)/test.sh

test-fast: bash ## the same without the tests that take minutes
	@$(local)/test.sh -short

test-matrix: bash ## the whole-system tests on every broker and every store in turn, and the switch between brokers
	@$(local)/matrix.sh

chaos: bash ## ten minutes of load while everything is killed, stopped and cut off in turn (SEED=n repeats a run)
	@$(if $(SEED),ONEQ_CHAOS_SEED=$(SEED)) $(local)/chaos.sh

bench: bash ## what the system can do here, beside what its sidecars can at all (SAVE=1, PROFILE=1, FILL=full)
	@$(local)/bench.sh

lint: bash ## formatting, golangci-lint, shellcheck
	@$(local)/lint.sh

clean: bash ## removes .run: tools, data and secrets
	@$(local)/stop.sh
	rm -rf .run

.PHONY: bash
bash:
	@command -v bash >/dev/null || { echo "oneqtour: bash is missing: please install it." >&2; exit 1; }
