package nvme

import "blksim/device/nvme/spec"

// namespace is one of the subsystem's namespaces. It has a run of the medium's
// bytes to itself. It outlives every reset.
type namespace struct {
	id       uint32
	base     int64 // first byte on the medium
	size     int64 // bytes
	shift    uint8 // log2 of the logical block
	blocks   uint64
	attached bool // to this controller; what is not is inactive
	gone     bool // deleted: commands that are still out end with Invalid Namespace

	formatting    bool
	errorRecovery uint32 // feature 05h
}

// lbaShifts are log2 of the block sizes of the LBA formats.
var lbaShifts = [...]uint8{9, 12}

// maxCopy bounds one Copy, bytes: it goes through a buffer of that size.
const maxCopy int64 = 1 << 20

func (n *namespace) setFormat(lbaf int) {
	n.shift = lbaShifts[lbaf]
	n.blocks = uint64(n.size) >> n.shift
}

func (n *namespace) lbaf() int {
	for i, s := range lbaShifts {
		if s == n.shift {
			return i
		}
	}
	panic("nvme: a namespace without a format")
}

func (n *namespace) inRange(slba, blocks uint64) bool {
	return slba < n.blocks && blocks <= n.blocks-slba
}

// extent is where on the medium those blocks are.
func (n *namespace) extent(slba, blocks uint64) Extent {
	return Extent{n.base + int64(slba)<<n.shift, int64(blocks) << n.shift}
}

// initNamespaces makes what the config asks for.
func (c *Controller) initNamespaces() {
	c.ns = make([]*namespace, c.cfg.MaxNamespaces)
	base := int64(0)
	for i, nc := range c.cfg.Namespaces {
		n := &namespace{id: uint32(i + 1), base: base, size: nc.Size, shift: shiftOf(nc.LBASize), attached: !nc.Detached}
		n.blocks = uint64(n.size) >> n.shift
		c.ns[i] = n
		base += nc.Size
	}
}

// findNS looks an NSID up (Base 3.2.1): one that cannot be is Invalid Namespace,
// one that is not active Invalid Field.
func (c *Controller) findNS(nsid uint32) (*namespace, spec.Status) {
	if nsid == 0 || nsid > uint32(len(c.ns)) {
		return nil, spec.InvalidNamespace
	}
	n := c.ns[nsid-1]
	if n == nil || !n.attached {
		return nil, spec.InvalidField
	}
	return n, spec.Success
}

// unallocated is the number of bytes that no namespace has.
func (c *Controller) unallocated() int64 {
	free := c.cfg.Capacity
	for _, n := range c.ns {
		if n != nil {
			free -= n.size
		}
	}
	return free
}

// findSpace is the first gap of size bytes, in one piece. At most MaxNamespaces
// namespaces, so that looking at each gap's end is no work.
func (c *Controller) findSpace(size int64) (base int64, ok bool) {
	for {
		end := c.cfg.Capacity
		var blocker *namespace
		for _, n := range c.ns {
			if n != nil && n.base+n.size > base && n.base < end {
				end, blocker = n.base, n
			}
		}
		if end-base >= size {
			return base, true
		}
		if blocker == nil {
			return 0, false
		}
		base = blocker.base + blocker.size
	}
}
