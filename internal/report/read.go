package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// maxResult bounds the size of a result that is read: one with everything in it
// has under 1 MiB a run.
const maxResult = 1 << 30

// Read reads what WriteJSON or WriteFio wrote. The histograms of the runs are
// checked: what can be read can be compared and merged.
func Read(r io.Reader) ([]*Run, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxResult+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxResult {
		return nil, fmt.Errorf("more than %d bytes: no result of blksim", maxResult)
	}
	var head struct {
		Schema string   `json:"schema"`
		Blksim *Several `json:"blksim"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("no JSON result of blksim: %w", err)
	}
	var several Several
	switch {
	case head.Blksim != nil:
		several = *head.Blksim
	case head.Schema == SeveralSchema:
		err = json.Unmarshal(data, &several)
	case head.Schema == Schema:
		one := &Run{}
		err = json.Unmarshal(data, one)
		several.Runs = []*Run{one}
	default:
		return nil, fmt.Errorf("schema %q: want %s or %s", head.Schema, Schema, SeveralSchema)
	}
	if err != nil {
		return nil, err
	}
	for i, run := range several.Runs {
		if run == nil {
			return nil, fmt.Errorf("run %d is null", i+1)
		}
		if err := run.check(); err != nil {
			return nil, fmt.Errorf("run %q: %w", run.Name, err)
		}
	}
	return several.Runs, nil
}

// check finds what WriteJSON never writes.
func (r *Run) check() error {
	check := func(where string, ds ...*Distribution) error {
		for _, d := range ds {
			if _, err := d.Histogram(); err != nil {
				return fmt.Errorf("%s: %w", where, err)
			}
		}
		return nil
	}
	for name, o := range r.Ops {
		if err := check(name, o.LatencyNs, o.ServiceNs, o.QueueNs, o.DeviceNs); err != nil {
			return err
		}
	}
	if err := check("slip_ns", r.SlipNs); err != nil {
		return err
	}
	if err := check("cancel", r.Cancel.LatencyNs); err != nil {
		return err
	}
	if r.Series != nil {
		return r.Series.check()
	}
	return nil
}
