package replay

import (
	"errors"

	"blksim/traces"
)

// Survey is what a trace would do to a disk, as far as it can be read.
type Survey struct {
	Records    int64
	End        int64 // of the furthest extent: the least size of the recorded disk, bytes
	Writes     int64 // records that change what is on the disk: writes, discards, write zeroes
	WriteBytes int64
	WriteFrom  int64 // where the first of those extents begins
	WriteEnd   int64 // and the last ends
}

// Look reads a source to its end. Where that is an error the run will meet it too, and
// tells it; until there the survey is right.
func Look(src Source) Survey {
	var s Survey
	recs := make([]traces.Record, readBatch)
	for {
		n, err := src.Read(recs)
		for i := range recs[:n] {
			s.add(&recs[i])
		}
		if err != nil && !errors.Is(err, ErrPause) {
			return s
		}
	}
}

func (s *Survey) add(r *traces.Record) {
	s.Records++
	if r.Op == traces.Flush {
		return
	}
	end := r.Offset + r.Length // readers refuse what overflows
	s.End = max(s.End, end)
	if r.Op == traces.Read {
		return
	}
	if s.Writes == 0 || r.Offset < s.WriteFrom {
		s.WriteFrom = r.Offset
	}
	s.Writes++
	s.WriteBytes += r.Length
	s.WriteEnd = max(s.WriteEnd, end)
}
