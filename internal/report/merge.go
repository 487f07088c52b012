package report

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"blksim/internal/hist"
	"blksim/internal/record"
)

// Merge makes one run of several: parts that ran side by side, or one after the
// other. Counts and histograms add up exactly. Of runs in sequence the times add up
// too, and there is no series; else the longest counts, and rates add up.
func Merge(runs []*Run, sequence bool) (*Run, error) {
	out := *runs[0]
	out.Ops, out.Device = map[string]OpRun{}, Device{Counted: true, ByOp: map[string]int64{}, Bytes: map[string]int64{}, Media: map[string]int64{}}
	out.Accounting, out.Cancel, out.Block, out.SlipNs = Accounting{}, Cancel{}, Block{}, nil
	out.Pacing = mergePacing(runs)
	out.Volume, out.Slowest, out.Series, out.Jobs, out.Verify = nil, nil, nil, nil, nil
	out.Disks, out.Stuck = nil, nil
	out.ElapsedNs, out.IOPS, out.Bandwidth, out.Partial, out.Error, out.Faults, out.Odd = 0, 0, 0, false, "", nil, nil
	out.Accounting.Records.Skipped = map[string]int64{}
	for _, r := range runs {
		if err := out.merge(r, sequence); err != nil {
			return nil, fmt.Errorf("run %q: %w", r.Name, err)
		}
		if r.Setup != out.Setup {
			out.Odd = append(out.Odd, fmt.Sprintf("run %q has another setup (%s): the setup is that of the first", r.Name, Differences(out.Setup, r.Setup)))
		}
	}
	slices.SortStableFunc(out.Slowest, func(a, b SlowIO) int {
		return cmp.Or(cmp.Compare(b.Latency, a.Latency), cmp.Compare(a.Due, b.Due), cmp.Compare(a.Offset, b.Offset))
	})
	out.Slowest = out.Slowest[:min(len(out.Slowest), record.MaxSlowest)]
	if sequence && out.ElapsedNs > 0 {
		s := float64(out.ElapsedNs) / 1e9
		out.IOPS, out.Bandwidth = float64(out.Ops["all"].Completed)/s, float64(out.Ops["all"].Bytes)/s
	}
	out.Odd = append([]string{fmt.Sprintf("merged of %d runs", len(runs))}, out.Odd...)
	out.Balance()
	return &out, nil
}

// merge adds one run.
func (r *Run) merge(o *Run, sequence bool) error {
	r.ElapsedNs = map[bool]int64{true: r.ElapsedNs + o.ElapsedNs, false: max(r.ElapsedNs, o.ElapsedNs)}[sequence]
	r.IOPS += o.IOPS
	r.Bandwidth += o.Bandwidth
	r.Partial = r.Partial || o.Partial
	r.Error = cmp.Or(r.Error, o.Error)
	add(&r.Accounting.Records, &o.Accounting.Records)
	add(&r.Accounting.Requests, &o.Accounting.Requests)
	add(&r.Block, &o.Block)
	if o.Volume != nil {
		if r.Volume == nil {
			r.Volume = &Volume{}
		}
		add(r.Volume, o.Volume)
	}
	r.Device.merge(&o.Device)
	r.mergeDisks(o)
	r.Faults = append(r.Faults, o.Faults...)
	r.Odd = append(r.Odd, o.Odd...)
	r.Jobs = append(r.Jobs, o.Jobs...)
	r.Slowest = append(r.Slowest, o.Slowest...)
	if o.Verify != nil {
		if r.Verify == nil {
			r.Verify = &Verify{}
		}
		r.Verify.Checked += o.Verify.Checked
		r.Verify.Bad += o.Verify.Bad
		r.Verify.First = append(r.Verify.First, o.Verify.First...)
	}
	var err error
	if err = r.mergeTimes(o); err != nil {
		return err
	}
	if r.SlipNs, err = mergeHist(r.SlipNs, o.SlipNs); err != nil {
		return err
	}
	c := &r.Cancel
	if c.LatencyNs, err = mergeHist(c.LatencyNs, o.Cancel.LatencyNs); err != nil {
		return err
	}
	c.Asked, c.Accepted = c.Asked+o.Cancel.Asked, c.Accepted+o.Cancel.Accepted
	c.Late, c.BytesKept = c.Late+o.Cancel.Late, c.BytesKept+o.Cancel.BytesKept
	for name, op := range o.Ops {
		sum := r.Ops[name]
		if err := sum.merge(op); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.Ops[name] = sum
	}
	switch {
	case sequence || o.Series == nil:
		return nil
	case r.Series == nil:
		r.Series = o.Series
		return nil
	}
	return r.Series.Merge(o.Series)
}

// mergeTimes adds what the block layers measured. What they did over time has no sum.
func (r *Run) mergeTimes(o *Run) error {
	if o.BlockTimes == nil {
		return nil
	}
	sum := &BlockTimes{WaitNs: map[string]*Distribution{}}
	for _, t := range []*BlockTimes{r.BlockTimes, o.BlockTimes} {
		if t == nil {
			continue
		}
		for op, d := range t.WaitNs {
			var err error
			if sum.WaitNs[op], err = mergeHist(sum.WaitNs[op], d); err != nil {
				return fmt.Errorf("wait of %s: %w", op, err)
			}
		}
	}
	r.BlockTimes = sum
	return nil
}

func (o *OpRun) merge(p OpRun) error {
	o.Submitted += p.Submitted
	o.Completed += p.Completed
	o.Bytes += p.Bytes
	for _, pair := range []struct {
		at *(*Distribution)
		d  *Distribution
	}{{&o.LatencyNs, p.LatencyNs}, {&o.ServiceNs, p.ServiceNs}, {&o.QueueNs, p.QueueNs}, {&o.DeviceNs, p.DeviceNs}} {
		sum, err := mergeHist(*pair.at, pair.d)
		if err != nil {
			return err
		}
		*pair.at = sum
	}
	return nil
}

func mergeHist(a, b *Distribution) (*Distribution, error) {
	sum := &hist.Histogram{}
	for _, d := range []*Distribution{a, b} {
		h, err := d.Histogram()
		if err != nil {
			return nil, err
		}
		sum.Merge(h)
	}
	return Sum(sum), nil
}

func (d *Device) merge(o *Device) {
	d.Counted = d.Counted && o.Counted
	d.Commands += o.Commands
	d.PeakDepth = max(d.PeakDepth, o.PeakDepth)
	for _, m := range []struct{ sum, part map[string]int64 }{{d.ByOp, o.ByOp}, {d.Bytes, o.Bytes}, {d.Media, o.Media}} {
		for k, n := range m.part {
			m.sum[k] += n
		}
	}
	if o.Aborts != nil {
		if d.Aborts == nil {
			d.Aborts = &Aborts{}
		}
		add(d.Aborts, o.Aborts)
	}
}

// add adds the counts of two structs field by field, also within them, and of
// their maps of counts.
func add[T any](sum, part *T) { addValues(reflect.ValueOf(sum).Elem(), reflect.ValueOf(part).Elem()) }

func addValues(sum, part reflect.Value) {
	switch sum.Kind() {
	case reflect.Int64:
		sum.SetInt(sum.Int() + part.Int())
	case reflect.Struct:
		for i := range sum.NumField() {
			addValues(sum.Field(i), part.Field(i))
		}
	case reflect.Map:
		for _, k := range part.MapKeys() {
			var was int64
			if v := sum.MapIndex(k); v.IsValid() {
				was = v.Int()
			}
			sum.SetMapIndex(k, reflect.ValueOf(was+part.MapIndex(k).Int()))
		}
	}
}

// Differences lists the fields in which two setups differ.
func Differences(a, b Setup) string {
	s := ""
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if x, y := va.Field(i).Interface(), vb.Field(i).Interface(); x != y {
			if s != "" {
				s += ", "
			}
			name, _, _ := strings.Cut(va.Type().Field(i).Tag.Get("json"), ",")
			s += fmt.Sprintf("%s %v, not %v", name, y, x)
		}
	}
	return s
}
