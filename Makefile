# Thin names for commands that can be typed just as well.
.PHONY: build test race interleave prove lint bench gobench fuzz ci

build: ; go build -o blksim ./cmd/blksim
test: ; go test ./...
race: ; go test -race ./...
interleave: ; go test -tags interleave ./aio/... ./internal/explore/...
prove:
	go test -tags interleave -count=1 ./internal/explore
	go test -tags interleave -count=1 -v ./aio | grep -E 'schedules|decisions|^(---|FAIL|ok)|_test.go'
	go test -count=1 -v -run 'EveryState|EveryFault|Posted' ./internal/model
	go test -count=1 -v -run TestEveryMutantIsKilled ./internal/mutant
lint: ; go vet ./... && go tool staticcheck ./... && go test ./internal/lint
bench: ; go run ./bench
gobench: ; go test -run '^$$' -bench . -benchmem ./...
fuzz: ; go test -fuzz FuzzReader -fuzztime 1m ./traces
ci: ; .ci/run
