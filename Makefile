# make run                    try it: builds everything, starts the server with a store of its own
# make run ENV=my_p3s3f.env   run it against your own store
# make test                   every test, browser and stores included
# make help                   all targets

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
export GOBIN := $(CURDIR)/bin

# Pinned tools; none is in go.mod, since nothing of them is in the program.
VERSITYGW   := v1.8.0
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0

.NOTPARALLEL: # deps install what unit and e2e need, and two loads measure each other
.PHONY: help run build static test unit e2e lint fuzz bench bench-browser deps clean FORCE

help: ## show this
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 10

run: build $(if $(ENV),,bin/.versitygw-$(VERSITYGW)) ## start the server; ENV=FILE: with your store, else with its own
	@exec bin/s3-sign-srv $(if $(ENV),-env "$(ENV)",-demo)

# Without the page the server is an API alone, and needs no bundle.
build: $(if $(wildcard static/index.html),static) bin/s3-sign-srv ## build the server and the page's bundle

bin/s3-sign-srv: FORCE
	@[ -e $@ ] || echo "building the server (about a minute the first time) …"
	@go build -o $@ ./cmd/s3-sign-srv

bin/.versitygw-$(VERSITYGW):
	@echo "building the demo's store, versitygw $(VERSITYGW) (about a minute, once) …"
	@go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW)
	@rm -f bin/.versitygw-* && touch $@

# The bundle is made anew when its parts change, when the other kind is asked for, and when it is gone.
# Without CEPH its kind stays what it is.
KIND := $(if $(CEPH),$(if $(filter 1,$(CEPH)),-ceph),$(if $(wildcard bundle/.made-ceph),-ceph))
BUNDLE := bundle/.made$(KIND)
static: $(BUNDLE) ## put Fine Uploader and a SHA-256 into static/; CEPH=1: with the work-around for old Ceph, CEPH=0: without
$(BUNDLE): bundle/package-lock.json bundle/build.mjs $(if $(and $(wildcard static/s3.fine-uploader.min.js),$(wildcard static/sha256.umd.min.js)),,FORCE)
	@echo "building the page's bundle from npm …"
	@npm ci --prefix bundle --loglevel=error
	@node bundle/build.mjs $(if $(KIND),--ceph)
	@rm -f bundle/.made* && touch $@

test: deps build bin/.versitygw-$(VERSITYGW) unit e2e ## every test; installs missing system packages with apt where it may

unit: ## what needs no browser and no store, with the race detector
	go vet ./... && go vet -tags 'e2e speed' ./...
	npm test --prefix bundle --silent
	go test -race -count=1 ./...

e2e: build bin/.versitygw-$(VERSITYGW) ## the browser tests
	go test -tags e2e ./e2e -count=1 -timeout 15m

lint: bin/.staticcheck-$(STATICCHECK) bin/.govulncheck-$(GOVULNCHECK) ## gofmt, vet, staticcheck, govulncheck
	@unformatted=$$(gofmt -l bench cmd internal e2e); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }
	go vet ./... && go vet -tags 'e2e speed' ./...
	bin/staticcheck ./... && bin/staticcheck -tags 'e2e speed' ./e2e
	.ci/vulnerabilities bin/govulncheck

bin/.staticcheck-$(STATICCHECK):
	go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK) && rm -f bin/.staticcheck-* && touch $@

bin/.govulncheck-$(GOVULNCHECK):
	go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK) && rm -f bin/.govulncheck-* && touch $@

# Each target a minute; what is found stays in testdata and is tried by every go test.
FUZZ_TIME := 60s
fuzz: ## fuzz every parser, a minute each
	@for target in $$(grep -rhoE '^func Fuzz[A-Za-z0-9]+' --include=*_test.go internal cmd | sed 's/^func //' | sort); do \
		package=$$(dirname $$(grep -rlE "^func $$target\(" --include=*_test.go internal cmd)); \
		echo "== $$target in $$package"; \
		go test ./$$package -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME); \
	done

bench: bin/s3-sign-srv ## compare the server's speed with one that does nothing; see docs/performance.md
	go test ./internal/sign ./internal/server -run '^$$' -bench . -count 5
	@go build -o bin/bench ./bench && bin/bench

bench-browser: deps build ## time 200 MB in Chromium, version 4 beside version 2, on radosgw
	go test -tags 'e2e speed' ./e2e -count=1 -run 'TestSpeed|TestPartCosts' -v

deps: ## install what the tests need of the system
	@.ci/deps

clean: ## remove what was made; demo-data and your own files stay
	rm -rf bin bundle/node_modules bundle/.made* e2e/screenshots
	rm -f static/s3.* static/fine-uploader-new.css static/*.gif static/sha256.*

FORCE:
