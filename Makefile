# Two commands do everything: `make demo` and `make test`. The rest is for builders.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/tantieme --home demo-home

PEERS := .venv-peers/bin

.PHONY: demo dashboard test test-all check setup clean bench-attribution bench-ensembles bench-payouts bench-dashboard

demo: .venv/installed  ## the whole main job on real music
	@bash .ci/system demo
	@$(RUN) demo

dashboard: .venv/installed  ## look at the demonstration's pages
	@$(RUN) dashboard

test: .venv/installed-test  ## everything a change must pass, in under 15 minutes
	@bash .ci/system test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not full"

test-all: .venv/installed-test  ## the full sizes as well
	@bash .ci/system test
	@bash .ci/system full
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: .venv/installed-test  ## style, types and arrows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench-attribution: .venv-peers/installed  ## ours and its peers: BANK=DIR, else the demonstration's
	@$(PEERS)/python -m benchmarks.attribution $(if $(BANK),--bank $(BANK)) $(if $(OUT),--out $(OUT))

bench-ensembles: .venv/installed  ## what ensembles give for what they cost: BANK=DIR
	@$(BIN)/python -m benchmarks.ensembles $(if $(BANK),--bank $(BANK))

bench-payouts: .venv-peers/installed  ## a month of 10^8 plays divided: SIZES=1e6,1e7 SCRATCH=DIR
	@$(PEERS)/python -m benchmarks.payouts $(if $(SIZES),--sizes $(SIZES)) $(if $(SCRATCH),--scratch $(SCRATCH)) $(if $(OUT),--out $(OUT))

bench-dashboard: .venv/installed-test  ## every page's time on 10^5 payees, 10^6 tracks: SCRATCH=DIR SMALLER=100
	@bash .ci/system test
	@$(BIN)/python -m benchmarks.dashboard $(if $(SMALLER),--smaller $(SMALLER)) $(if $(SCRATCH),--scratch $(SCRATCH)) $(if $(OUT),--out $(OUT))

setup: .venv/installed-test  ## an environment to develop in, with the commit hooks
	@$(BIN)/pip install --quiet -c constraints.txt pre-commit
	@$(BIN)/pre-commit install

clean:  ## forget the demonstration and every cache; the environment stays
	rm -rf demo-home .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/pip:
	@bash .ci/system python
	@echo "Making an environment in .venv (a few minutes, once)" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

.venv/installed: .venv/bin/pip pyproject.toml constraints.txt
	@echo "Installing what the product needs into .venv" >&2
	@$(BIN)/pip install --quiet -c constraints.txt -e '.[demo]'
	@touch $@

# A layer of its own: the peers bring a torchvision that is linked to CUDA.
.venv-peers/installed: .venv/installed pyproject.toml constraints.txt
	@echo "Installing the peers into .venv-peers, a layer over .venv" >&2
	@$(PYTHON) -m venv .venv-peers
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(PEERS)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/below.pth
	@$(PEERS)/pip install --quiet -c constraints.txt -e '.[peers]'
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Installing what the tests need into .venv" >&2
	@$(BIN)/pip install --quiet -c constraints.txt -e '.[demo,spark]' --group test --group lint
	@touch $@
