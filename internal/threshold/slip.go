package threshold

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"blksim/internal/option"
	"blksim/internal/report"
)

// Slip is a demand on the fidelity of a run in which each request has a time: of the
// requests, at most a share may be submitted later than a while after they were due.
// The zero value demands nothing.
type Slip struct {
	After time.Duration
	Share float64 // 0 to 1; 0: none may
}

// ParseSlip reads DURATION[:SHARE%], such as 500us or 1ms:0.1%.
func ParseSlip(text string) (s Slip, err error) {
	if text == "" {
		return Slip{}, nil
	}
	after, share, shared := strings.Cut(text, ":")
	if s.After, err = option.ParseDuration(after); err != nil || s.After <= 0 {
		return Slip{}, fmt.Errorf("max-slip %q: want a duration above 0, and perhaps :SHARE%%, such as 500us or 1ms:0.1%%", text)
	}
	if shared {
		number, percent := strings.CutSuffix(share, "%")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || !percent || !(v >= 0 && v <= 100) { // NaN fails too
			return Slip{}, fmt.Errorf("max-slip %q: share %q: want 0%% to 100%%", text, share)
		}
		s.Share = v / 100
	}
	return s, nil
}

// String writes what ParseSlip reads.
func (s Slip) String() string {
	switch {
	case s.After == 0:
		return ""
	case s.Share == 0:
		return option.FormatDuration(s.After)
	}
	return fmt.Sprintf("%s:%s%%", option.FormatDuration(s.After), strconv.FormatFloat(100*s.Share, 'g', -1, 64))
}

// Check says how a run breaches the demand; nil if it does not. A run in which
// nothing was due at a time of its own breaches it, as it was not put to the test.
func (s Slip) Check(r *report.Run) error {
	p := r.Pacing
	switch {
	case s.After == 0:
		return nil
	case p == nil || p.Requests == 0:
		return fmt.Errorf("max-slip %s: run %q has no requests that were due at a time of their own", s, r.Name)
	case p.LateAfterNs != int64(s.After):
		return fmt.Errorf("max-slip %s: run %q counted what was later than %s", s, r.Name, option.FormatDuration(time.Duration(p.LateAfterNs)))
	case float64(p.Late) <= s.Share*float64(p.Requests):
		return nil
	}
	return fmt.Errorf("max-slip %s: run %q submitted %d of %d requests later than that (%.3g %%), the latest by %s", s, r.Name,
		p.Late, p.Requests, 100*p.LateShare(), option.FormatDuration(time.Duration(r.SlipNs.Max)))
}
