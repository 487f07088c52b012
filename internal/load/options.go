package load

import (
	"errors"
	"fmt"
	"time"

	"blksim/internal/option"
)

// Options are the rows of a job's options, with fio's names.
func (j *Job) Options() option.Table {
	return option.Table{j.whatOptions(), j.whereOptions(), j.whenOptions(), j.checkOptions(), j.sameOptions()}
}

func (j *Job) whatOptions() option.Group {
	number := option.Uint[uint]
	return option.Group{Title: "What the load does", Rows: []option.Row{
		{Name: "name", Value: option.String(&j.Name), Usage: "name of the job"},
		{Name: "description", Value: option.String(new(string)), Usage: "anything; it is not read"},
		{Name: "rw", Alias: []string{"readwrite"}, Value: option.Parsed(&j.Pattern, "pattern", parsePattern, func(p Pattern) string { return p.Text }),
			Usage: "read, write, rw, trim: in the order of offsets; randread, randwrite, randrw, randtrim"},
		{Name: "rwmixread", Value: number(&j.Mix), Usage: "percent of reads in rw and randrw, where no rate decides"},
		{Name: "rwmixwrite", Value: option.Parsed(&j.Mix, "uint", mixWrite, func(v uint) string { return fmt.Sprint(100 - min(v, 100)) }),
			Usage: "percent of writes in rw and randrw; the last of the two counts"},
		{Name: "bs", Alias: []string{"blocksize"}, Value: option.Parsed(&j.Block, "size", func(s string) (PerOp[Range], error) { return perOp(s, parseRange) },
			func(v PerOp[Range]) string { return writePerOp(v, writeRange) }), Usage: "bytes of an I/O, or a range as in bsrange; READS,WRITES,TRIMS sets them apart"},
		{Name: "bsrange", Alias: []string{"blocksize-range"}, Value: option.Parsed(&j.Block, "size-size", func(s string) (PerOp[Range], error) { return perOp(s, parseRange) },
			func(v PerOp[Range]) string { return writePerOp(v, writeRange) }), Usage: "a size between two, in multiples of the lesser; READS,WRITES,TRIMS sets them apart"},
		{Name: "bssplit", Value: option.Parsed(&j.Split, "size/percent:...", func(s string) (PerOp[Split], error) { return perOp(s, parseSplit) }, writeSplits),
			Usage: "sizes with their shares, such as 4k/60:64k/40"},
		{Name: "number-ios", Value: option.Parsed(&j.Number, "count", parseCount, writeCount), Usage: "end after so many I/Os"},
		{Name: "numjobs", Value: number(&j.Clones), Usage: "run so many clones of the job side by side"},
		{Name: "fsync", Alias: []string{"fdatasync"}, Value: number(&j.Fsync), Usage: "a flush after so many writes (0: none)"},
	}}
}

func mixWrite(s string) (uint, error) {
	var n uint
	if err := option.Uint(&n).Set(s); err != nil || n > 100 {
		return 0, errors.Join(err, fmt.Errorf("%q: want 0 to 100", s))
	}
	return 100 - n, nil
}

func (j *Job) whereOptions() option.Group {
	number := option.Uint[uint]
	extent := func(at *Extent) option.Value { return option.Parsed(at, "size|percent%", parseExtent, writeExtent) }
	return option.Group{Title: "Where", Rows: []option.Row{
		{Name: "offset", Value: extent(&j.Offset), Usage: "where the job's region begins, bytes or percent of the device"},
		{Name: "offset-increment", Value: option.Size(&j.Increment), Usage: "the region of each further clone begins so much later"},
		{Name: "size", Value: extent(&j.Size), Usage: "bytes of the region, or percent of the device (0: to its end); once through ends the job"},
		{Name: "io-size", Alias: []string{"io-limit"}, Value: option.Size(&j.IOSize), Usage: "end after so many bytes, rather than after size"},
		{Name: "blockalign", Alias: []string{"ba"}, Value: option.Size(&j.Align), Usage: "offsets are multiples of this (0: of the least block)"},
		{Name: "random-distribution", Value: option.Parsed(&j.Where, "distribution", ParseDistribution, Distribution.String),
			Usage: "random, zipf:THETA, pareto:H, normal:PERCENT, or zoned:ACCESS/SPACE:... in percent"},
		{Name: "norandommap", Value: option.Bool(&j.NoRandomMap), Usage: "random I/Os may come to a block again before they have been to all"},
		{Name: "percentage-random", Value: number(&j.PercentRandom), Usage: "percent of a random load that is random, the rest follows on"},
		{Name: "loops", Value: number(&j.Loops), Usage: "times through the region"},
	}}
}

func (j *Job) whenOptions() option.Group {
	number := option.Uint[uint]
	span := func(at *time.Duration, unit time.Duration) option.Value {
		return option.Parsed(at, "duration", spanIn(unit), writeSpan)
	}
	return option.Group{Title: "When", Rows: []option.Row{
		{Name: "iodepth", Value: number(&j.Depth), Usage: "I/Os in flight (0: 1, and with a rate 65536)"},
		{Name: "runtime", Alias: []string{"timeout"}, Value: span(&j.Runtime, time.Second), Usage: "end after this time; a number alone counts seconds (a job without any end: 1s)"},
		{Name: "time-based", Value: option.Bool(&j.TimeBased), Usage: "run for the whole runtime, however often the region is passed"},
		{Name: "ramp-time", Value: span(&j.Ramp, time.Second), Usage: "run so long before anything is measured; a number alone counts seconds"},
		{Name: "startdelay", Value: span(&j.Delay, time.Second), Usage: "begin so long after the others; a number alone counts seconds"},
		{Name: "rate-iops", Value: option.Parsed(&j.RateIOPS, "count", func(s string) (PerOp[uint64], error) { return perOp(s, parseCount) },
			func(v PerOp[uint64]) string { return writePerOp(v, writeCount) }), Usage: "an open loop: so many I/Os are due a second, of each operation; READS,WRITES,TRIMS"},
		{Name: "rate", Value: option.Parsed(&j.Rate, "size", func(s string) (PerOp[int64], error) { return perOp(s, option.ParseSize) },
			func(v PerOp[int64]) string { return writePerOp(v, option.FormatSize) }), Usage: "an open loop: so many bytes are due a second, of each operation; READS,WRITES,TRIMS"},
		{Name: "rate-process", Value: option.Parsed(&j.Poisson, "linear|poisson", func(s string) (bool, error) {
			if s != "linear" && s != "poisson" {
				return false, fmt.Errorf("%q: want linear, poisson", s)
			}
			return s == "poisson", nil
		}, func(p bool) string { return map[bool]string{false: "linear", true: "poisson"}[p] }), Usage: "I/Os due evenly, or at random"},
		{Name: "thinktime", Value: span(&j.Think, time.Microsecond), Usage: "wait so long after thinktime-blocks I/Os have ended; a number alone counts microseconds"},
		{Name: "thinktime-blocks", Value: number(&j.ThinkWhen), Usage: "I/Os between two waits"},
		{Name: "stonewall", Alias: []string{"wait-for-previous"}, Value: option.Bool(&j.Stonewall), Usage: "begin when all jobs before have ended"},
	}}
}

func (j *Job) checkOptions() option.Group {
	return option.Group{Title: "Checking and cancelling", Rows: []option.Row{
		{Name: "verify", Value: option.Parsed(&j.Verify, "crc32c|none", func(s string) (bool, error) {
			switch s {
			case "0", "none":
				return false, nil
			case "crc32c", "crc32c-intel":
				return true, nil
			}
			return false, fmt.Errorf("%q: want crc32c or none", s)
		}, func(v bool) string { return map[bool]string{false: "none", true: "crc32c"}[v] }), Usage: "write a header with a checksum into each block, and check what is read"},
		{Name: "verify-interval", Value: option.Size(&j.VerifyInterval), Usage: "bytes with a header of their own (0: bs)"},
		{Name: "do-verify", Value: option.Bool(&j.DoVerify), Usage: "with verify: read back all that was written at the end"},
		{Name: "verify-fatal", Value: option.Bool(&j.VerifyFatal), Usage: "end the job at the first bad block"},
		{Name: "deadline", Value: option.Duration(&j.Deadline), Usage: "cancel each request that is not complete so long after it was due"},
		{Name: "cancel", Value: option.Parsed(&j.Cancel, "cancel", ParseCancel, Cancel.String), Usage: "what else to cancel: none, random:P[:WITHIN] (a share P of 0 to 1, at a random time within WITHIN, default 1ms)"},
	}}
}

// sameOptions are those of fio that say what is always so here: they may be said,
// and the opposite is refused.
func (j *Job) sameOptions() option.Group {
	always := func(name string, want bool, why string) option.Row {
		at := new(bool)
		*at = want
		return option.Row{Name: name, Usage: why, Value: option.Parsed(at, "bool", func(s string) (bool, error) {
			var v bool
			if err := option.Bool(&v).Set(s); err != nil {
				return want, err
			}
			if v != want {
				return want, fmt.Errorf("%s: it cannot be otherwise: %s", s, why)
			}
			return v, nil
		}, func(v bool) string { return fmt.Sprint(v) })}
	}
	return option.Group{Title: "For fio's job files: always so", Rows: []option.Row{
		always("thread", true, "jobs run on lanes of one process"),
		always("group-reporting", true, "the result has each job and all together"),
		always("randrepeat", true, "the same seed gives the same load"),
		{Name: "randseed", Value: option.Uint(&j.Seed), Usage: "seed of this job (0: the run's)"},
	}}
}
