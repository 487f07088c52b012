// Package bpf holds the BPF programs of internal/ebpf: their C source, and the
// objects that clang makes of it, which are committed so that a build needs no clang.
//
// "make generate" rebuilds them with build.sh; a test does the same and compares, where
// Debian's clang 14 is there. The objects are for little-endian machines, whatever their
// instruction set; the loader fits them to the running kernel by its BTF.
//
// One object keeps what is underway in arrays whose slots are claimed with atomics
// (kernels from 5.12 on), another in hash maps; table.h says why. Every program is in both
// twice, as a BTF tracepoint (btf_NAME) and as a raw tracepoint (raw_NAME). The third is for
// classic tracepoints, on kernels without BTF (classic_NAME).
package bpf

import _ "embed"

//go:generate ./build.sh

//go:embed block.o
var block []byte

//go:embed block_plain.o
var blockPlain []byte

//go:embed classic.o
var classic []byte

// Object is the object with tables of slots.
func Object() []byte { return block }

// PlainObject is the object with hash maps.
func PlainObject() []byte { return blockPlain }

// ClassicObject has programs for classic tracepoints, which need no BTF of the kernel.
func ClassicObject() []byte { return classic }
