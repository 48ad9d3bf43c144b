# make run                    build everything, and start the server with a demo store
# make run ENV=my_p3s3f.env   start the server with your own store
# make test                   all tests, in a browser and with stores
# make help                   all targets

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
export GOBIN := $(CURDIR)/bin

# Versions of tools. They are not in go.mod because the program does not use them.
VERSITYGW   := v1.8.0
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0
BENCHSTAT   := v0.0.0-20260908200009-22c9c6c9d4da

.NOTPARALLEL: # deps installs what unit and e2e need, and parallel benchmarks would measure each other
.PHONY: help run build static test unit e2e lint fuzz bench bench-browser screenshot deps clean FORCE

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 15

# ENV is read from make's command line only: shells and CI systems set an unrelated ENV.
ENV_FILE := $(if $(filter command,$(origin ENV)),$(ENV))
run: build $(if $(ENV_FILE),,bin/.versitygw-$(VERSITYGW)) ## start the server with a demo store, or with ENV=FILE with yours
	@exec bin/s3-sign-srv $(if $(ENV_FILE),-env "$(ENV_FILE)",-demo)

build: static bin/s3-sign-srv ## build the page's bundle, and the server, which contains it

# Go 1.21 is the first that downloads the version in go.mod.
bin/s3-sign-srv: FORCE
	@go version | grep -qE ' go(1\.(2[1-9]|[3-9][0-9])|[2-9])' || { echo "Go 1.21 or later is needed, this is: $$(go version)"; exit 1; }
	@[ -e $@ ] || echo "building the server (about a minute the first time) …"
	@go build -o $@ ./cmd/s3-sign-srv

bin/.versitygw-$(VERSITYGW):
	@echo "building the demo store, versitygw $(VERSITYGW) (about a minute, once) …"
	@go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	@rm -f bin/.versitygw-* && touch $@

# The bundle is built again when its parts change, when one is missing, and when CEPH asks for the other kind. Without
# CEPH, its kind does not change.
KIND := $(if $(CEPH),$(if $(filter 1,$(CEPH)),-ceph),$(if $(wildcard bundle/.made-ceph),-ceph))
BUNDLE := bundle/.made$(KIND)
PACKAGES := bundle/node_modules/.package-lock.json
HASHES := static/md5.umd.min.js static/sha256.umd.min.js
MADE := static/s3.fine-uploader.min.js $(HASHES) static/page.min.js static/page.min.js.map \
	static/uppy/page.min.js static/uppy/page.min.css
MODULES := $(filter-out static/s3.% $(MADE) static/client_conf.js,$(wildcard static/*.js static/uppy/*.js))
IS_COMPLETE := $(filter $(words $(MADE)),$(words $(wildcard $(MADE))))
static: $(BUNDLE) ## put Fine Uploader, Uppy, hash functions and the pages' bundles into static/; with CEPH=1 for old Ceph versions, with CEPH=0 not
$(BUNDLE): $(PACKAGES) bundle/build.mjs $(MODULES) $(if $(IS_COMPLETE),,FORCE)
	@node bundle/build.mjs $(if $(KIND),--ceph)
	@rm -f bundle/.made* && touch $@

$(PACKAGES): bundle/package-lock.json
	@echo "installing the page's npm packages …"
	@npm ci --prefix bundle --loglevel=error
	@touch $@

test: deps build bin/.versitygw-$(VERSITYGW) unit e2e ## run all tests; installs missing system packages with apt if it can

unit: ## run the tests that need no browser and no store, with the race detector
	go vet ./... && go vet -tags 'e2e speed' ./...
	npm test --prefix bundle --silent
	go test -race -count=1 ./...

e2e: build bin/.versitygw-$(VERSITYGW) ## run the browser tests, and the ledger on PostgreSQL
	go test -tags e2e ./internal/ledger ./internal/events -race -count=1
	go test -tags e2e ./e2e -count=1 -timeout 15m

lint: bin/.staticcheck-$(STATICCHECK) bin/.govulncheck-$(GOVULNCHECK) ## run gofmt, vet, staticcheck, govulncheck, and check documents and sizes
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run gofmt -w on $$unformatted"; exit 1; }
	.ci/sizes
	go vet ./... && go vet -tags 'e2e speed' ./...
	bin/staticcheck ./... && bin/staticcheck -tags 'e2e speed' ./e2e
	go test ./docs
	.ci/vulnerabilities bin/govulncheck

bin/.staticcheck-$(STATICCHECK):
	go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) && rm -f bin/.staticcheck-* && touch $@

bin/.govulncheck-$(GOVULNCHECK):
	go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) && rm -f bin/.govulncheck-* && touch $@

# Failing inputs are saved in testdata, and every go test runs them.
FUZZ_TIME := 60s
fuzz: ## fuzz every parser for FUZZ_TIME, by default a minute
	@for target in $$(grep -rhoE '^func Fuzz[A-Za-z0-9]+' --include=*_test.go internal cmd | sed 's/^func //' | sort); do \
		package=$$(dirname $$(grep -rlE "^func $$target\(" --include=*_test.go internal cmd)); \
		echo "== $$target in $$package"; \
		go test ./$$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME); \
	done

bench: bin/s3-sign-srv bin/.benchstat-$(BENCHSTAT) ## compare the server's speed with that of one that signs without checks; see docs/performance.md
	go test ./internal/sign ./internal/server -run '^$$' -bench . -count 5
	for round in 1 2 3 4 5; do go test ./internal/cli -run '^$$' -bench . -benchtime 2s; done | tee bin/bench.txt
	@bin/benchstat -filter .name:Sign -row '/request /connections' -col /server -confidence 0.9 bin/bench.txt

bin/.benchstat-$(BENCHSTAT):
	go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT) && rm -f bin/.benchstat-* && touch $@

bench-browser: deps build ## measure uploads in Chromium on several networks, compared with Uppy; takes half an hour
	@NODE_PATH=bundle/node_modules node bundle/node_modules/esbuild/bin/esbuild e2e/uppy/page.js --bundle --format=esm \
		--log-level=warning --outfile=e2e/uppy/built/page.js
	go test -tags 'e2e speed' ./e2e -count=1 -timeout 60m -run '^TestSpeed' -v

screenshot: deps build ## take docs/page.png, the picture in the README
	go test -tags 'e2e speed' ./e2e -count=1 -run '^TestPageScreenshot$$'

deps: ## install the system packages that the tests need
	@.ci/deps

clean: ## remove everything that was built; demo-data and your own files stay
	rm -rf bin bundle/node_modules bundle/.made* e2e/screenshots
	rm -f static/s3.fine-uploader.* static/fine-uploader-new.css $(HASHES) static/page.min.js* static/uppy/page.min.*
	rm -f static/{continue,edit,loading,pause,processing,retry,trash}.gif

FORCE:
