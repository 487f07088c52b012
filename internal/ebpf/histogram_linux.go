package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// Histograms are what the programs have counted until now (Mode Histogram, LogLinear).
func (t *Tracer) Histograms() (*Histograms, error) {
	counts, err := t.bucketSums(LogLinear)
	if err != nil {
		return nil, err
	}
	out := &Histograms{}
	var all []extremes
	for op := range histOps {
		for stage := range NumStages {
			row := op*NumStages + stage
			if err := t.programs.Maps["extremes"].Lookup(uint32(row), &all); err != nil {
				return nil, fmt.Errorf("ebpf: reading the histograms' extremes: %w", err)
			}
			var x extremes
			for _, o := range all {
				x.merge(o)
			}
			h, err := restore(counts[row*kernelBuckets:(row+1)*kernelBuckets], x)
			if err != nil {
				return nil, err
			}
			out[stage][op] = *h
		}
	}
	return out, nil
}

// Log2Histograms are what the programs have counted until now (Mode Histogram, Log2).
func (t *Tracer) Log2Histograms() (*Log2Histograms, error) {
	counts, err := t.bucketSums(Log2)
	if err != nil {
		return nil, err
	}
	out := &Log2Histograms{}
	for op := range histOps {
		for stage := range NumStages {
			out[stage][op] = powers(counts[(op*NumStages+stage)*kernelBuckets:])
		}
	}
	return out, nil
}

// bucketSums reads all buckets, in batches where the kernel has that (5.6; of per-CPU
// arrays 5.13), and adds the CPUs up.
func (t *Tracer) bucketSums(kind Buckets) ([]uint64, error) {
	if t.rings != nil || t.options.Buckets != kind {
		return nil, errors.New("ebpf: the tracer was not opened for such histograms")
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("ebpf: counting the CPUs: %w", err)
	}
	m := t.programs.Maps["buckets"]
	sums := make([]uint64, m.MaxEntries())
	const batch = 4096
	keys, values := make([]uint32, batch), make([]uint64, batch*cpus)
	var at ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&at, keys, values, nil)
		if errors.Is(err, ebpf.ErrNotSupported) {
			return sums, t.slowSums(sums)
		}
		for i, k := range keys[:n] {
			for _, v := range values[i*cpus : (i+1)*cpus] {
				sums[k] += v
			}
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return sums, nil
		}
		if err != nil {
			return nil, fmt.Errorf("ebpf: reading the histograms: %w", err)
		}
	}
}

func (t *Tracer) slowSums(sums []uint64) error {
	var values []uint64
	for k := range sums {
		if err := t.programs.Maps["buckets"].Lookup(uint32(k), &values); err != nil {
			return fmt.Errorf("ebpf: reading the histograms: %w", err)
		}
		for _, v := range values {
			sums[k] += v
		}
	}
	return nil
}
