package load

import (
	"errors"
	"fmt"
	"time"

	"blksim/internal/replay"
)

// Job is one job, with fio's defaults where DefaultJob sets no other. Sizes and
// offsets are bytes. The names in parentheses are fio's, and those of the options.
type Job struct {
	Name    string
	Pattern Pattern // what is done, and in which order of offsets (rw)
	Mix     uint    // percent of reads in a mixed pattern without a rate (rwmixread)

	// What an I/O is.
	Block     PerOp[Range] // its size: evenly from a range, in multiples of Min (bs, bsrange)
	Split     PerOp[Split] // instead of Block: sizes with shares (bssplit)
	Align     int64        // of offsets; 0: the least block (blockalign)
	Offset    Extent       // where the job's region begins (offset)
	Increment int64        // the region of each further clone begins so much later (offset_increment)
	Size      Extent       // of the region; 0: to the end of the device (size)

	// When the job ends: whatever comes first. A job that says nothing of it runs
	// for DefaultRuntime.
	IOSize    int64         // bytes done; 0: Size, times Loops (io_size)
	Number    uint64        // I/Os done; 0: no end (number_ios)
	Loops     uint          // times through the region (loops)
	Runtime   time.Duration // after the ramp; 0: no end (runtime)
	TimeBased bool          // Runtime alone counts (time_based)

	Depth  uint // I/Os in flight; 0: 1, and DefaultLimit for a job with a rate (iodepth)
	Clones uint // how many run side by side (numjobs)

	// When I/Os are due. With a rate each has its time, whatever becomes of the
	// others; without, one is due when there is room for it.
	Ramp      time.Duration // what is due before is run and not measured (ramp_time)
	Delay     time.Duration // the job starts so much later (startdelay)
	RateIOPS  PerOp[uint64] // I/Os a second (rate_iops)
	Rate      PerOp[int64]  // bytes a second, instead (rate)
	Poisson   bool          // due at random, not evenly (rate_process)
	Think     time.Duration // waited after ThinkWhen I/Os have ended (thinktime)
	ThinkWhen uint          // (thinktime_blocks)

	// Where I/Os go.
	Where         Distribution // (random_distribution)
	NoRandomMap   bool         // a place may come again before all have come (norandommap)
	PercentRandom uint         // of a random pattern; the rest follows on (percentage_random)

	Fsync     uint   // a flush after so many writes; 0: none (fsync)
	Seed      uint64 // 0: the run's (randseed)
	Stonewall bool   // begins when all jobs before have ended (stonewall)

	// Checking of data.
	Verify         bool  // headers with crc32c (verify)
	VerifyInterval int64 // bytes with a header of their own; 0: the least block (verify_interval)
	DoVerify       bool  // read back all that was written, at the end (do_verify)
	VerifyFatal    bool  // end at the first bad interval (verify_fatal)

	// Cancelling; these are ours.
	Deadline time.Duration // from when an I/O was due; 0: none
	Cancel   Cancel
}

// Cancel is which I/Os are cancelled at a random time.
type Cancel struct {
	Chance int // in a million
	Within time.Duration
}

// DefaultJob is a job without options.
func DefaultJob() Job {
	return Job{Name: "job", Pattern: Pattern{Text: "read", Ops: [3]bool{true}}, Mix: 50,
		Block: PerOp[Range]{Range{4096, 4096}, Range{4096, 4096}, Range{4096, 4096}},
		Loops: 1, Clones: 1, ThinkWhen: 1, PercentRandom: 100, DoVerify: true}
}

// DefaultRuntime is how long a job runs that does not say when it is done.
const DefaultRuntime = time.Second

// PerOp is a setting for each of reads, writes and trims.
type PerOp[T any] [3]T

// The operations of a job, as indexes of PerOp.
const (
	read = iota
	write
	trim
)

// rated says whether the job has a rate: an open loop.
func (j *Job) rated() bool { return j.RateIOPS != PerOp[uint64]{} || j.Rate != PerOp[int64]{} }

// limit is the number of I/Os in flight at the most.
func (j *Job) limit() int {
	switch {
	case j.Depth > 0:
		return int(j.Depth)
	case j.rated():
		return replay.DefaultLimit
	}
	return 1
}

// Writes says whether the job changes what is on the device.
func (j *Job) Writes() bool { return j.Pattern.Ops[write] || j.Pattern.Ops[trim] }

// mixed says whether the job reads and writes.
func (j *Job) mixed() bool { return j.Pattern.Ops[read] && j.Pattern.Ops[write] }

// Validate says what is wrong with a job by itself.
func (j *Job) Validate() error {
	switch {
	case j.Mix > 100:
		return fmt.Errorf("rwmixread %d: want 0 to 100", j.Mix)
	case j.PercentRandom > 100:
		return fmt.Errorf("percentage_random %d: want 0 to 100", j.PercentRandom)
	case j.Clones < 1 || j.Clones > maxJobs:
		return fmt.Errorf("numjobs %d: want 1 to %d", j.Clones, maxJobs)
	case j.Depth > replay.DefaultLimit:
		return fmt.Errorf("iodepth %d: want at most %d", j.Depth, replay.DefaultLimit)
	case j.Loops < 1 || j.Loops > 1<<30:
		return fmt.Errorf("loops %d: want 1 to %d", j.Loops, 1<<30)
	case j.TimeBased && j.Runtime == 0:
		return errors.New("time_based: want a runtime too")
	case j.Think > 0 && j.rated():
		return errors.New("thinktime and a rate: want one of them: a rate says when each I/O is due")
	case j.Think > 0 && (j.ThinkWhen < 1 || j.ThinkWhen > 1<<30):
		return fmt.Errorf("thinktime_blocks %d: want 1 to %d", j.ThinkWhen, 1<<30)
	case j.Poisson && !j.rated():
		return errors.New("rate_process=poisson: want rate_iops or rate")
	case j.Align < 0 || j.VerifyInterval < 0 || j.Increment < 0 || j.IOSize < 0:
		return errors.New("a size is negative")
	case j.Verify && j.Pattern.Ops[trim]:
		return errors.New("verify and trims: what a trimmed block reads as is not defined")
	case j.Verify && j.Ramp > 0:
		return errors.New("verify and ramp_time: want one of them")
	}
	return errors.Join(j.checkRates(), j.checkSizes())
}

// checkRates wants a rate for each operation of a job that has one for any, once.
func (j *Job) checkRates() error {
	for op, has := range j.Pattern.Ops {
		iops, bytes := j.RateIOPS[op], j.Rate[op]
		switch {
		case iops > 0 && bytes > 0:
			return errors.New("rate_iops and rate: want one of them")
		case iops > 1e9 || bytes < 0:
			return fmt.Errorf("rate_iops %d, rate %d: want at most 1e9 a second", iops, bytes)
		case j.rated() && has && iops == 0 && bytes == 0:
			return errors.New("a rate for reads or for writes alone: want one for each operation of the job (rate_iops=READS,WRITES)")
		}
	}
	return nil
}

func (j *Job) checkSizes() error {
	for op := range j.Block {
		b := j.Block[op]
		switch {
		case !j.Pattern.Ops[op]:
		case b.Min < 1 || b.Max < b.Min || b.Max > 256<<20:
			return fmt.Errorf("bs %d to %d: want 1 byte to 256 MiB", b.Min, b.Max)
		case j.Verify && len(j.Split[op]) == 0 && b.Min%j.interval() != 0:
			return fmt.Errorf("verify_interval %d: bs %d is no multiple of it", j.interval(), b.Min)
		}
	}
	if n := j.interval(); j.Verify && n < 2*headerSize {
		return fmt.Errorf("verify_interval %d: want at least %d", n, 2*headerSize)
	}
	return nil
}

// least is the shortest I/O of the job, bytes.
func (j *Job) least() int64 {
	n := int64(1) << 62
	for op, has := range j.Pattern.Ops {
		if !has {
			continue
		}
		if len(j.Split[op]) == 0 {
			n = min(n, j.Block[op].Min)
		}
		for _, s := range j.Split[op] {
			n = min(n, s.Bytes)
		}
	}
	return n
}

// align is what offsets are multiples of.
func (j *Job) align() int64 {
	if j.Align > 0 {
		return j.Align
	}
	return j.least()
}

// interval is how many bytes have a checksum.
func (j *Job) interval() int64 {
	if j.VerifyInterval > 0 {
		return j.VerifyInterval
	}
	return j.least()
}

// maxJobs bounds the engines of a run.
const maxJobs = 256
