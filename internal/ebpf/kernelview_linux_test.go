package ebpf

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
	"blksim/traces"
)

// own are the options for this process's I/O on a device.
func own(d Device) Options {
	return Options{Devices: []Device{d}, PIDs: []uint32{uint32(os.Getpid())}}
}

func device(t *testing.T, path string) Device {
	t.Helper()
	d, err := FindDevice(path)
	require.NoError(t, err)
	return d
}

// TestSplitBioIsOneEvent reads more at once than the device takes in one request.
func TestSplitBioIsOneEvent(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	d := device(t, l.Path())
	queue := filepath.Join("/sys/block", d.Name, "queue/max_sectors_kb")
	old, err := os.ReadFile(queue)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(queue, []byte("64"), 0o600))
	t.Cleanup(func() { os.WriteFile(queue, old, 0o600) })
	f, buf := direct(t, l.Path(), 1<<20)
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		o := own(d)
		o.Requests = true
		tr := open(o)
		_, err := f.ReadAt(buf, 0)
		require.NoError(t, err)
		evs, c := drain(t, tr)
		sawAll(t, c)
		bios, requests, bytes := 0, 0, int64(0)
		for _, e := range evs {
			if e.Kind == Request {
				requests++
				require.LessOrEqual(t, e.Bytes, int64(64<<10))
				continue
			}
			bios++
			bytes += e.Bytes
			require.EqualValues(t, e.Bytes>>16, e.Bios, "pieces of %+v", e)
			require.Less(t, e.Queue, e.Issue)
		}
		require.EqualValues(t, 1<<20, bytes)
		require.Equal(t, 16, requests)
		require.EqualValues(t, 16-bios, c.Splits)
		require.EqualValues(t, 16, c.Pieces)
	})
}

// TestMergedBiosAreEventsOfTheirOwn writes pages that the kernel makes into few requests.
func TestMergedBiosAreEventsOfTheirOwn(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	d := device(t, l.Path())
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(Options{Devices: []Device{d}, Requests: true})
		before := settled(t, d)
		f, err := os.OpenFile(l.Path(), os.O_RDWR, 0)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Write(make([]byte, 4<<20)) // to the page cache
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		evs, c := drain(t, tr)
		after := settled(t, d)
		sawAll(t, c)
		bios, requests, inRequests, flushes := int64(0), int64(0), int64(0), int64(0)
		for _, e := range evs {
			switch {
			case e.Op == traces.Flush:
				if e.Kind == Bio {
					flushes++
				}
			case e.Op != traces.Write: // somebody looks for signatures
			case e.Kind == Bio:
				bios += e.Bytes
			default:
				requests += e.Bytes
				inRequests += int64(e.Bios)
			}
		}
		require.EqualValues(t, 4<<20, bios)
		require.EqualValues(t, 4<<20, requests)
		require.EqualValues(t, after.WriteMerges-before.WriteMerges+after.Writes-before.Writes, inRequests+flushes, "%+v", c)
		require.Positive(t, c.BackMerges+c.FrontMerges+c.RequestMerges)
		require.EqualValues(t, after.Completed()-before.Completed(), c.Pieces+c.Unmatched)
	})
}

// TestDriverThatTakesBios is zram: there are no requests, and nothing is issued.
func TestDriverThatTakesBios(t *testing.T) {
	z := loopdev.ZramFor(t, 16<<20)
	d := device(t, z.Path())
	require.True(t, d.TakesBios)
	f, buf := direct(t, z.Path(), 4096)
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(own(d))
		for i := range int64(8) {
			_, err := f.WriteAt(buf, i<<12)
			require.NoError(t, err)
		}
		evs, c := drain(t, tr)
		require.Len(t, evs, 8)
		require.EqualValues(t, 8, c.Unissued)
		require.Zero(t, c.Requests)
		for i, e := range evs {
			require.EqualValues(t, i*8, e.Sector)
			require.Zero(t, e.Issue)
			require.Less(t, e.Queue, e.Complete)
		}
		// The same as a histogram.
		o := own(d)
		o.Mode = Histogram
		h := open(o)
		_, err := f.ReadAt(buf, 0)
		require.NoError(t, err)
		require.NoError(t, h.Stop(time.Second))
		got, err := h.Histograms()
		require.NoError(t, err)
		require.EqualValues(t, 1, got[TotalStage][traces.Read].Count())
		require.Zero(t, got.Of(DeviceStage).Count())
	})
}

func TestHistogramsCountWhatEventsTell(t *testing.T) {
	l := loopdev.LoopFor(t, 16<<20, loopdev.Options{})
	d := device(t, l.Path())
	f, buf := direct(t, l.Path(), 4096)
	work := func() {
		for i := range int64(50) {
			_, err := f.WriteAt(buf, i<<12)
			require.NoError(t, err)
		}
	}
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		events := open(own(d))
		o := own(d)
		o.Mode, o.QueueTime = Histogram, true
		linear := open(o)
		o.Buckets = Log2
		powers := open(o)
		work()
		evs, c := drain(t, events)
		require.NoError(t, linear.Stop(time.Second))
		require.NoError(t, powers.Stop(time.Second))
		sawAll(t, c)
		h, err := linear.Histograms()
		require.NoError(t, err)
		_, err = linear.Log2Histograms()
		require.Error(t, err)
		p, err := powers.Log2Histograms()
		require.NoError(t, err)
		for stage, of := range map[Stage]func(e *Event) (int64, bool){
			QueueStage: (*Event).QueueTime, DeviceStage: (*Event).DeviceTime, TotalStage: (*Event).TotalTime,
		} {
			got := &h[stage][traces.Write]
			require.InDelta(t, 50, got.Count(), 1, "%v", stage)
			require.Equal(t, got.Count(), h.Of(stage).Count())
			n := int64(0)
			for _, b := range p[stage][traces.Write] {
				n += b.Count
			}
			require.InDelta(t, 50, n, 1)
			// Three tracers look at the clock one after the other, so they agree on the
			// order of magnitude only.
			sum := int64(0)
			for i := range evs {
				v, ok := of(&evs[i])
				require.True(t, ok)
				sum += v
			}
			ratio := float64(got.Mean()) / float64(sum/int64(len(evs)))
			require.Greater(t, ratio, 0.1, "%v", stage)
			require.Less(t, ratio, 10.0, "%v", stage)
			require.Positive(t, got.Min())
		}
	})
}

func TestShortLatenciesAreOnlyCounted(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	d := device(t, l.Path())
	f, buf := direct(t, l.Path(), 4096)
	o := own(d)
	o.MinLatency = time.Hour
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(o)
		for range 5 {
			_, err := f.ReadAt(buf, 0)
			require.NoError(t, err)
		}
		evs, c := drain(t, tr)
		require.Empty(t, evs)
		require.InDelta(t, 5, c.Brief, 1)
		require.EqualValues(t, 5, c.Started)
	})
}

func TestOpsAndProcessesAreFiltered(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	d := device(t, l.Path())
	f, buf := direct(t, l.Path(), 4096)
	work := func() {
		_, err := f.ReadAt(buf, 0)
		require.NoError(t, err)
		_, err = f.WriteAt(buf, 4096)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
	}
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		for name, c := range map[string]struct {
			change func(o *Options)
			want   []traces.Op
		}{
			"everything":       {func(*Options) {}, []traces.Op{traces.Read, traces.Write, traces.Flush}},
			"reads":            {func(o *Options) { o.Ops = []traces.Op{traces.Read} }, []traces.Op{traces.Read}},
			"flushes":          {func(o *Options) { o.Ops = []traces.Op{traces.Flush} }, []traces.Op{traces.Flush}},
			"another process":  {func(o *Options) { o.PIDs = []uint32{1} }, nil},
			"all but this one": {func(o *Options) { o.PIDs, o.SkipPID = nil, uint32(os.Getpid()) }, nil},
			"another place":    {func(o *Options) { o.Devices[0].First = 1024 }, []traces.Op{traces.Flush}},
		} {
			o := own(d)
			c.change(&o)
			tr := open(o)
			work()
			evs, counts := drain(t, tr)
			sawAll(t, counts)
			var ops []traces.Op
			for _, e := range evs {
				if e.PID == uint32(os.Getpid()) {
					ops = append(ops, e.Op)
				}
			}
			require.Equal(t, c.want, ops, name)
		}
	})
}

// TestWhatNeverCompletesIsToldWhereAskedFor stops a tracer while a write is underway: to a
// loop device over a file of a file system that is frozen.
func TestWhatNeverCompletesIsToldWhereAskedFor(t *testing.T) {
	m := loopdev.MountFor(t, loopdev.LoopFor(t, 32<<20, loopdev.Options{}).Path(), "ext4")
	image := filepath.Join(m.Dir(), "image")
	require.NoError(t, loopdev.Filled(image, 1<<20))
	l := loopdev.AttachFor(t, image, loopdev.Options{})
	d := device(t, l.Path())
	f, buf := direct(t, l.Path(), 4096)
	dir, err := os.Open(m.Dir())
	require.NoError(t, err)
	defer dir.Close()
	const freeze, thaw = 0xc0045877, 0xc0045878 // FIFREEZE, FITHAW
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		o := own(d)
		o.Unfinished = true
		tr := open(o)
		if err := unix.IoctlSetInt(int(dir.Fd()), freeze, 0); err != nil {
			t.Skipf("the file system cannot be frozen: %v", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := f.WriteAt(buf, 4096)
			done <- err
		}()
		time.Sleep(100 * time.Millisecond)
		stopErr := tr.Stop(0)
		require.NoError(t, unix.IoctlSetInt(int(dir.Fd()), thaw, 0))
		require.NoError(t, stopErr)
		evs := make([]Event, 10)
		var all []Event
		for {
			n, err := tr.Read(evs, 0)
			all = append(all, evs[:n]...)
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
		}
		require.NoError(t, <-done)
		c, err := tr.Counts()
		require.NoError(t, err)
		require.NoError(t, c.Check())
		unended := uint64(0)
		for _, e := range all {
			if e.Complete == 0 {
				unended++
				require.Positive(t, e.Queue)
				require.EqualValues(t, 4096, e.Bytes)
				require.EqualValues(t, os.Getpid(), e.PID)
			}
		}
		require.Equal(t, c.NeverDelivered(), unended)
		require.EqualValues(t, 1, unended)
		require.EqualValues(t, c.Started, len(all))
	})
}

func TestFullRingLosesAndCounts(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	d := device(t, l.Path())
	f, buf := direct(t, l.Path(), 4096)
	o := own(d)
	o.Buffer = 4096
	each(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(o)
		for range 200 {
			_, err := f.ReadAt(buf, 0)
			require.NoError(t, err)
		}
		evs, c := drain(t, tr)
		require.EqualValues(t, 200, c.Started)
		require.Len(t, evs, int(c.Done))
		require.Greater(t, c.Lost, uint64(100))
		require.EqualValues(t, 200, c.Done+c.Lost+c.NeverDelivered())
	})
}

func TestPartitionIsARangeOfItsDisk(t *testing.T) {
	l := loopdev.LoopFor(t, 8<<20, loopdev.Options{PartScan: true})
	f, buf := direct(t, l.Path(), 4096)
	// A partition by ioctl, without a table on the disk: sectors 2048 to 4095.
	part := unix.BlkpgPartition{Start: 1 << 20, Length: 1 << 20, Pno: 1}
	arg := unix.BlkpgIoctlArg{Op: unix.BLKPG_ADD_PARTITION, Datalen: int32(152)}
	if err := addPartition(f, &arg, &part); err != nil {
		t.Skipf("no partitions of loop devices: %v", err)
	}
	path := l.Path() + "p1"
	for until := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(until) {
			t.Skip("no device file for the partition")
		}
	}
	d := device(t, path)
	require.Equal(t, Device{Name: d.Name, Dev: device(t, l.Path()).Dev, First: 2048, End: 4096}, d)
	p, _ := direct(t, path, 4096)
	eachAndClassic(t, func(t *testing.T, open func(Options) *Tracer) {
		tr := open(own(d))
		_, err := p.ReadAt(buf, 8192)
		require.NoError(t, err)
		_, err = f.ReadAt(buf, 0) // of the disk, outside
		require.NoError(t, err)
		evs, c := drain(t, tr)
		sawAll(t, c)
		require.Len(t, evs, 1)
		require.EqualValues(t, 2048+16, evs[0].Sector)
	})
}
