package ebpf_test

import (
	"errors"
	"fmt"
	"io"
	"time"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Writes of a disk that take more than 10 ms, for a minute.
func Example() {
	d, err := ebpf.FindDevice("/dev/sdb")
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := ebpf.Open(ebpf.Options{Devices: []ebpf.Device{d}, Ops: []traces.Op{traces.Write}, MinLatency: 10 * time.Millisecond})
	if err != nil {
		fmt.Println(err) // says what is missing: a capability, BTF, ...
		return
	}
	defer t.Close()
	end := time.AfterFunc(time.Minute, func() { t.Stop(time.Second) })
	defer end.Stop()
	evs := make([]ebpf.Event, 1024)
	for {
		n, err := t.Read(evs, time.Second)
		for i := range evs[:n] {
			e := &evs[i]
			queue, _ := e.QueueTime()
			device, _ := e.DeviceTime()
			fmt.Println(e.Command(), e.Sector, e.Bytes, time.Duration(queue), time.Duration(device))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	if c, err := t.Counts(); err == nil {
		fmt.Println(c.Started, "=", c.Done, "slow +", c.Brief, "faster +", c.Lost+c.NoRoom, "lost +", c.NeverDelivered(), "never seen to end")
	}
}
