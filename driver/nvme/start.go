package nvme

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/device/nvme/spec"
	"blksim/driver"
)

// start is the controller's initialization (Base 3.5.1).
func (d *Driver) start() error {
	d.cap = spec.CAP(d.regs.Read64(spec.RegCAP)).Fields()
	switch {
	case d.regs.Read32(spec.RegCSTS) == allOnes:
		return fmt.Errorf("nvme: open: %w", ErrGone)
	case d.cap.CSS&1 == 0:
		return fmt.Errorf("nvme: open: %w: no NVM command set (CAP.CSS %02xh)", ErrUnsupported, d.cap.CSS)
	case d.cap.MPSMIN > 0:
		return fmt.Errorf("nvme: open: %w: smallest page %d: expected %d", ErrUnsupported, pageSize<<d.cap.MPSMIN, pageSize)
	case d.cap.MQES == 0:
		return fmt.Errorf("nvme: open: %w: queues of one entry (CAP.MQES 0)", ErrUnsupported)
	}
	if err := d.disable(); err != nil {
		return err
	}
	if err := d.enable(); err != nil {
		return err
	}
	controller, err := d.identifyController()
	if err != nil {
		return err
	}
	namespace, err := d.identifyNamespace()
	if err != nil {
		return err
	}
	granted, err := d.askQueues()
	if err != nil {
		return err
	}
	d.admin.aborts.limit = min(int(controller.ACL)+1, adminEntries-1-adminReserved)
	if err := d.chooseCancel(&controller); err != nil {
		return err
	}
	if d.options.Callback {
		// Enough that all Aborts outstanding and as many that have just been
		// answered hold none that the depth needs.
		d.spares = 2 * d.admin.aborts.limit
	}
	if d.useCancel {
		d.spares += 2 * maxCancels // each takes its own and holds its command's
	}
	d.setLimits(&controller, &namespace, granted)
	d.queues = make([]*queue, d.limits.Queues)
	d.stats = make([]queueStats, d.limits.Queues)
	return nil
}

// allOnes is what a register reads as when nothing answers on the bus.
const allOnes = 0xffff_ffff

// enable gives the controller the admin queues and waits until it is ready.
func (d *Driver) enable() error {
	d.admin.rings.connect(d.regs, d.cap.DSTRD)
	d.writeAdminQueues()
	return d.await("enable", d.readyTimeout(), unlessFatal(spec.CSTS.Ready))
}

// writeAdminQueues sets the registers of the admin queues and CC.EN.
func (d *Driver) writeAdminQueues() {
	d.regs.Write32(spec.RegAQA, uint32(spec.EncodeAQA(adminEntries, adminEntries)))
	d.regs.Write64(spec.RegASQ, busAddress(regionSQ, 0, 0, 0))
	d.regs.Write64(spec.RegACQ, busAddress(regionCQ, 0, 0, 0))
	d.regs.Write32(spec.RegCC, uint32(spec.CCFields{EN: true, IOSQES: 6, IOCQES: 4}.Encode()))
}

// disable resets the controller and waits until it no longer touches our memory
// (Base 3.7.2). It is also the remedy for a fatal status.
func (d *Driver) disable() error {
	cc := spec.CC(d.regs.Read32(spec.RegCC)).Fields()
	cc.EN, cc.SHN = false, spec.ShutdownNone
	d.regs.Write32(spec.RegCC, uint32(cc.Encode()))
	return d.await("disable", d.readyTimeout(), func(s spec.CSTS) (bool, error) { return !s.Ready(), nil })
}

// readyTimeout is how long a change of CC.EN may take (Base 3.1.3.1, TO).
func (d *Driver) readyTimeout() time.Duration {
	if t := d.options.ReadyTimeout; t > 0 {
		return t
	}
	return time.Duration(max(d.cap.TO, 1)) * 500 * time.Millisecond
}

// await polls the status register by a timer of the admin lane, at growing
// intervals, until look says that it is as wanted or that it never will be.
func (d *Driver) await(step string, limit time.Duration, look func(spec.CSTS) (bool, error)) error {
	l := d.admin.lane
	var failure error
	err := d.onLane(l, func(done func()) {
		deadline := l.Now().Add(limit)
		interval := 10 * time.Microsecond
		var timer lane.Timer
		poll := func() {
			status := d.regs.Read32(spec.RegCSTS)
			var ok bool
			ok, failure = look(spec.CSTS(status))
			switch {
			case status == allOnes:
				failure = ErrGone
			case !ok && failure == nil && l.Now() >= deadline:
				failure = ErrTimeout
			case !ok && failure == nil:
				timer.Arm(interval)
				interval = min(2*interval, 10*time.Millisecond)
				return
			}
			done()
		}
		timer = l.NewTimer(poll)
		poll()
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return fmt.Errorf("nvme: %s: %w", step, err)
	}
	return nil
}

// unlessFatal is a look of await that also ends with CSTS.CFS.
func unlessFatal(wanted func(spec.CSTS) bool) func(spec.CSTS) (bool, error) {
	return func(s spec.CSTS) (bool, error) {
		if s.Fatal() {
			return false, ErrFatal
		}
		return wanted(s), nil
	}
}

func (d *Driver) identifyController() (data spec.ControllerData, err error) {
	if err := d.identify("identify controller", spec.CNSController, 0); err != nil {
		return data, err
	}
	data.Decode(d.memory.page)
	if data.SQES&15 > 6 || data.SQES>>4 < 6 || data.CQES&15 > 4 || data.CQES>>4 < 4 {
		return data, fmt.Errorf("nvme: identify controller: %w: entry sizes SQES %02xh, CQES %02xh: expected to include 6 and 4",
			ErrUnsupported, data.SQES, data.CQES)
	}
	return data, nil
}

func (d *Driver) identifyNamespace() (data spec.NamespaceData, err error) {
	nsid := d.options.Namespace
	step := fmt.Sprintf("identify namespace %d", nsid)
	if err := d.identify(step, spec.CNSNamespace, nsid); err != nil {
		return data, err
	}
	data.Decode(d.memory.page)
	switch {
	case data.NSZE == 0:
		return data, fmt.Errorf("nvme: %s: %w: the namespace is not active", step, ErrUnsupported)
	case data.BlockSize() == 0:
		return data, fmt.Errorf("nvme: %s: %w: block size 2^%d", step, ErrUnsupported, data.LBADS[data.FLBAS&15])
	case data.NSZE > (1<<63-1)/uint64(data.BlockSize()):
		return data, fmt.Errorf("nvme: %s: %w: %d blocks of %d bytes", step, ErrUnsupported, data.NSZE, data.BlockSize())
	}
	return data, nil
}

// identify has the data structure put into memory.page.
func (d *Driver) identify(step string, cns, nsid uint32) error {
	clear(d.memory.page)
	_, err := d.execute(step, spec.AdminIdentify, nsid, func(e *spec.SQE) {
		e.SetPRPs(busAddress(regionPage, 0, 0, 0), 0)
		e.SetCDW10(cns)
	})
	return err
}

// askQueues asks for I/O queues and returns how many there may be.
func (d *Driver) askQueues() (int, error) {
	want := d.options.Queues
	result, err := d.execute("set number of queues", spec.AdminSetFeatures, 0, func(e *spec.SQE) {
		e.SetCDW10(spec.FeatQueues)
		e.SetCDW11(spec.EncodeQueues(want, want))
	})
	sqs, cqs := spec.DecodeQueues(result)
	return min(want, sqs, cqs), err
}

// mostEntries is how many commands fit into a queue beside its Cancels.
func (d *Driver) mostEntries() int {
	if d.useCancel {
		return int(d.cap.MQES) - maxCancels
	}
	return int(d.cap.MQES)
}

func (d *Driver) setLimits(c *spec.ControllerData, n *spec.NamespaceData, queues int) {
	block := n.BlockSize()
	longest := int64(maxTransfer)
	if c.MDTS > 0 && c.MDTS < 32 {
		longest = min(longest, pageSize<<c.MDTS)
	}
	ops := driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush)
	if c.ONCS&spec.ONCSDatasetManagement != 0 {
		ops |= driver.Ops(aio.OpDiscard)
	}
	if c.ONCS&spec.ONCSWriteZeroes != 0 {
		ops |= driver.Ops(aio.OpWriteZeroes)
	}
	d.limits = driver.Limits{
		Capacity:    int64(n.NSZE) * int64(block),
		BlockSize:   block,
		MaxTransfer: longest,
		Queues:      queues,
		QueueDepth:  min(d.mostEntries(), maxSlots-d.spares),
		Ops:         ops,
		WriteCache:  c.VWC&spec.VWCPresent != 0,
		FUA:         true, // every controller obeys it (NVM 3.2.6)
		Boundary:    int64(n.NOIOB) * int64(block),
	}
	d.format = format{nsid: d.options.Namespace, ops: ops}
	for 1<<d.format.shift < block {
		d.format.shift++
	}
	d.format.partial = uint64(block-1) | 1<<63
	d.format.longest = [aio.NumOps]int64{
		aio.OpRead:        longest,
		aio.OpWrite:       longest,
		aio.OpDiscard:     maxDiscardBlocks << d.format.shift,
		aio.OpWriteZeroes: maxZeroBlocks << d.format.shift,
	}
	d.limits.MaxDiscard = d.format.longest[aio.OpDiscard]
	d.limits.MaxWriteZeroes = d.format.longest[aio.OpWriteZeroes]
	for op := range d.format.longest {
		if !ops.Has(aio.Op(op)) {
			d.format.longest[op] = 0
		}
	}
}
