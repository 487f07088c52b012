# Thin names for commands that can be typed just as well.
.PHONY: build test race interleave prove lint bench bench-disk bench-trace bench-replay bench-cancel gobench fuzz fuzz-nvme seeds vopr guest generate ci

build: ; go build -o blksim ./cmd/blksim
test: ; go test ./...
race: ; go test -race ./...
interleave: ; go test -tags interleave ./aio/... ./internal/explore/...
prove: ; .ci/prove
lint: ; go vet ./... && go tool staticcheck ./... && go test ./internal/lint
bench: ; go run ./bench
bench-replay: ; go run ./bench/replay -v
bench-cancel: ; go run ./bench/cancel -v
bench-disk: ; go run ./bench/disk -v
bench-trace: ; go run ./bench/trace -v
gobench: ; go test -run '^$$' -bench . -benchmem ./...
fuzz: ; go test -fuzz FuzzReader -fuzztime 1m ./traces
fuzz-nvme: ; go test ./device/nvme -run TestRandomSQEs -v -sqes $(or $(N),10000000)
seeds: ; go test ./device/nvme -run 'TestSeeds$$' -timeout 0 -v -seeds $(or $(N),100000) -seed $(or $(SEED),1)
vopr: ; go test -count=1 -timeout 0 -v -run 'TestSeeds$$' ./sim/vopr -vopr.n $(or $(N),100000)
guest: ; .ci/guest $(or $(KERNEL),6.1)
generate: ; go generate ./...
ci: ; .ci/run
