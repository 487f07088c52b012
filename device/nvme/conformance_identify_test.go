package nvme_test

import (
	"encoding/binary"
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"
)

// three is a controller with namespaces 1 and 2 attached, 3 not, 4 free; half of
// the capacity is in none.
func three(t testing.TB) *rig {
	return newReady(t, nvme.Config{
		Capacity: 4 << 20, Queues: 4, MaxNamespaces: 4, AbortLimit: 5, EventLimit: 3, MDTS: 5,
		Model: "M", Serial: "S", Firmware: "F1", Namespaces: []nvme.Namespace{
			{Size: 1 << 20}, {Size: 512 << 10, LBASize: 4096}, {Size: 512 << 10, Detached: true},
		},
	}, nullWithCache, 16)
}

// nullWithCache makes a null medium that says that it has a cache.
func nullWithCache(*sim.World) nvme.Medium { return cached{nvme.NewNull()} }

type cached struct{ *nvme.Null }

func (cached) Volatile() bool { return true }

func (r *rig) controllerData() (d spec.ControllerData) {
	b, st := r.identify(spec.CNSController, 0)
	r.eq(spec.Success, st)
	d.Decode(b)
	return d
}

func (r *rig) namespaceData(nsid uint32) (d spec.NamespaceData) {
	b, st := r.identify(spec.CNSNamespace, nsid)
	r.eq(spec.Success, st)
	d.Decode(b)
	return d
}

func ctrlField[T any](get func(d spec.ControllerData) T, want T) func(r *rig) {
	return field(func(r *rig) T { return get(r.controllerData()) }, want)
}

func nsField[T any](get func(d spec.NamespaceData) T, want T) func(r *rig) {
	return field(func(r *rig) T { return get(r.namespaceData(1)) }, want)
}

// list is an Identify list of namespaces.
func (r *rig) list(cns, nsid uint32) (ids []uint32) {
	b, st := r.identify(cns, nsid)
	r.eq(spec.Success, st)
	for ; len(b) > 0 && binary.LittleEndian.Uint32(b) != 0; b = b[4:] {
		ids = append(ids, binary.LittleEndian.Uint32(b))
	}
	return ids
}

func identifyIs(want spec.Status, cns, nsid uint32) func(r *rig) {
	return func(r *rig) { _, st := r.identify(cns, nsid); r.t.Helper(); r.eq(want, st.Code()) }
}

var identifySections = []section{
	{"Base 5.17.2.1 Identify Controller", three, []rule{
		{"SN, MN and FR are the device's", func(r *rig) {
			d := r.controllerData()
			r.eq([]string{"S", "M", "F1"}, []string{d.Serial, d.Model, d.Firmware})
		}},
		{"texts are padded with spaces", func(r *rig) {
			b, _ := r.identify(spec.CNSController, 0)
			r.eq("S                   ", string(b[4:24]))
		}},
		{"MDTS is the largest transfer", ctrlField(func(d spec.ControllerData) uint8 { return d.MDTS }, 5)},
		{"VER is that of VS", ctrlField(func(d spec.ControllerData) uint32 { return d.VER }, spec.Version)},
		{"CNTRLTYPE is an I/O controller", ctrlField(func(d spec.ControllerData) uint8 { return d.CNTRLTYPE }, 1)},
		{"OAES offers namespace attribute notices", ctrlField(func(d spec.ControllerData) uint32 { return d.OAES }, 1<<8)},
		{"OACS offers Format, and management and attachment of namespaces", ctrlField(func(d spec.ControllerData) uint16 { return d.OACS }, 1<<1|1<<3)},
		{"ACL is the Abort limit, 0's based", ctrlField(func(d spec.ControllerData) uint8 { return d.ACL }, 4)},
		{"AERL is the event request limit, 0's based", ctrlField(func(d spec.ControllerData) uint8 { return d.AERL }, 2)},
		{"LPA offers effects and extended data", ctrlField(func(d spec.ControllerData) uint8 { return d.LPA & 6 }, 6)},
		{"ELPE is the size of the error log, 0's based", ctrlField(func(d spec.ControllerData) uint8 { return d.ELPE }, 63)},
		{"SQES allows 64 bytes alone", ctrlField(func(d spec.ControllerData) uint8 { return d.SQES }, 0x66)},
		{"CQES allows 16 bytes alone", ctrlField(func(d spec.ControllerData) uint8 { return d.CQES }, 0x44)},
		{"NN is the largest NSID", ctrlField(func(d spec.ControllerData) uint32 { return d.NN }, 4)},
		{"ONCS offers what there is", ctrlField(func(d spec.ControllerData) uint16 { return d.ONCS }, 1|1<<2|1<<3|1<<4|1<<6|1<<7|1<<8)},
		{"FUSES offers compare and write", ctrlField(func(d spec.ControllerData) uint16 { return d.FUSES }, 1)},
		{"VWC: a cache, and Flush takes all namespaces", ctrlField(func(d spec.ControllerData) uint8 { return d.VWC }, 7)},
		{"AWUPF is not more than AWUN", ctrlField(func(d spec.ControllerData) bool { return d.AWUPF <= d.AWUN }, true)},
		{"ACWU covers a fused pair", ctrlField(func(d spec.ControllerData) uint16 { return d.ACWU }, 0xffff)},
		{"OCFS offers copy format 0", ctrlField(func(d spec.ControllerData) uint16 { return d.OCFS }, 1)},
		{"SGLS offers SGLs without alignment", ctrlField(func(d spec.ControllerData) uint32 { return d.SGLS & 3 }, 1)},
		{"TNVMCAP and UNVMCAP are the capacity and what is free of it", func(r *rig) {
			d := r.controllerData()
			r.eq([]uint64{4 << 20, 2 << 20}, []uint64{d.TNVMCAP, d.UNVMCAP})
		}},
		{"WCTEMP is below CCTEMP", ctrlField(func(d spec.ControllerData) bool { return d.WCTEMP < d.CCTEMP }, true)},
	}},
	{"NVM 4.1.5.1 Identify Namespace", three, []rule{
		{"NSZE is the size in blocks", nsField(func(d spec.NamespaceData) uint64 { return d.NSZE }, 2048)},
		{"NCAP is not more than NSZE", nsField(func(d spec.NamespaceData) bool { return d.NCAP <= d.NSZE }, true)},
		{"NUSE is not more than NCAP", nsField(func(d spec.NamespaceData) bool { return d.NUSE <= d.NCAP }, true)},
		{"NUSE follows what is written", func(r *rig) {
			r.eq(uint64(0), r.namespaceData(1).NUSE)
			r.write(0, 1, 1)
			r.yes(r.namespaceData(1).NUSE > 0)
		}},
		{"NLBAF is the number of formats, 0's based", nsField(func(d spec.NamespaceData) uint8 { return d.NLBAF }, 1)},
		{"LBADS of format 0 is 512 bytes, of format 1 4096", nsField(func(d spec.NamespaceData) [2]uint8 { return [2]uint8(d.LBADS[:2]) }, [2]uint8{9, 12})},
		{"FLBAS is the format in use", func(r *rig) {
			r.eq([]uint8{0, 1}, []uint8{r.namespaceData(1).FLBAS, r.namespaceData(2).FLBAS})
		}},
		{"DLFEAT: deallocated blocks read as zeroes", nsField(func(d spec.NamespaceData) uint8 { return d.DLFEAT & 7 }, 1)},
		{"NSFEAT: not thin, so that NCAP is NSZE", func(r *rig) {
			d := r.namespaceData(1)
			r.eq([]uint64{0, d.NSZE}, []uint64{uint64(d.NSFEAT & 1), d.NCAP})
		}},
		{"NVMCAP is the size in bytes", nsField(func(d spec.NamespaceData) uint64 { return d.NVMCAP }, 1<<20)},
		{"MSSRL, MCL and MSRC limit Copy", nsField(func(d spec.NamespaceData) [3]int { return [3]int{int(d.MSSRL), int(d.MCL), int(d.MSRC)} }, [3]int{2048, 2048, 127})},
		{"NGUID differs between namespaces", func(r *rig) { r.yes(r.namespaceData(1).NGUID != r.namespaceData(2).NGUID) }},
		{"an inactive NSID is all zeroes", func(r *rig) { r.eq(spec.NamespaceData{}, r.namespaceData(3)) }},
		{"an unallocated NSID is all zeroes", func(r *rig) { r.eq(spec.NamespaceData{}, r.namespaceData(4)) }},
		{"FFFFFFFFh is what all have in common", func(r *rig) {
			d := r.namespaceData(spec.NSIDAll)
			r.eq([]uint64{0, 1}, []uint64{d.NSZE, uint64(d.NLBAF)})
		}},
		{"NSID 0 is Invalid Namespace", identifyIs(spec.InvalidNamespace, spec.CNSNamespace, 0)},
		{"an NSID beyond NN is Invalid Namespace", identifyIs(spec.InvalidNamespace, spec.CNSNamespace, 5)},
	}},
	{"Base 5.17.1 Identify lists and others", three, []rule{
		{"02h lists the active NSIDs above the one given", func(r *rig) {
			r.eq([]uint32{1, 2}, r.list(spec.CNSActiveList, 0))
			r.eq([]uint32{2}, r.list(spec.CNSActiveList, 1))
		}},
		{"02h with FFFFFFFEh is Invalid Namespace", identifyIs(spec.InvalidNamespace, spec.CNSActiveList, 0xffff_fffe)},
		{"02h with FFFFFFFFh is Invalid Namespace", identifyIs(spec.InvalidNamespace, spec.CNSActiveList, spec.NSIDAll)},
		{"03h describes an active namespace by NGUID and CSI", func(r *rig) {
			b, st := r.identify(spec.CNSDescriptors, 2)
			r.eq(spec.Success, st)
			g := r.namespaceData(2).NGUID
			r.eq(append([]byte{spec.NIDNGUID, 16, 0, 0}, g[:]...), b[:20])
			r.eq([]byte{spec.NIDCSI, 1, 0, 0, 0, 0}, b[20:26])
		}},
		{"03h of an inactive NSID is Invalid Field", identifyIs(spec.InvalidField, spec.CNSDescriptors, 3)},
		{"06h with CSI 0 answers, with no limits", func(r *rig) {
			b, st := r.identify(spec.CNSCommandSet, 0)
			r.eq(spec.Success, st)
			r.yes(all(b, 0))
		}},
		{"08h says that the namespace is ready", func(r *rig) {
			b, st := r.identify(spec.CNSIndependent, 1)
			r.eq(spec.Success, st)
			r.eq(byte(1), b[14]&1)
		}},
		{"10h lists the allocated NSIDs", func(r *rig) { r.eq([]uint32{1, 2, 3}, r.list(spec.CNSAllocatedList, 0)) }},
		{"11h tells of a namespace that is allocated and not attached", func(r *rig) {
			b, st := r.identify(spec.CNSAllocated, 3)
			r.eq(spec.Success, st)
			var d spec.NamespaceData
			d.Decode(b)
			r.eq(uint64(1024), d.NSZE)
		}},
		{"12h lists the controllers of a namespace", func(r *rig) {
			b, _ := r.identify(spec.CNSAttachedTo, 1)
			r.eq([]byte{1, 0, 1, 0}, b[:4])
			b, _ = r.identify(spec.CNSAttachedTo, 3)
			r.eq([]byte{0, 0}, b[:2])
		}},
		{"13h lists the controllers of the subsystem", func(r *rig) {
			b, _ := r.identify(spec.CNSControllers, 0)
			r.eq([]byte{1, 0, 1, 0}, b[:4])
		}},
		{"a reserved CNS is Invalid Field", identifyIs(spec.InvalidField, 0x7f, 1)},
		{"a CNS of command sets that are not offered is Invalid Field", identifyIs(spec.InvalidField, 0x1c, 1)},
		{"a buffer that is not memory is Data Transfer Error", func(r *rig) {
			e := r.adminCommand(spec.AdminIdentify, 0, spec.CNSController)
			e.SetPRPs(1<<40, 0)
			r.eq(spec.DataTransferError, r.admin(e).status.Code())
		}},
		{"SGLs are not for admin commands", func(r *rig) {
			e := r.adminCommand(spec.AdminIdentify, 0, spec.CNSController)
			e.SetPSDT(1)
			r.eq(spec.InvalidField, r.admin(e).status.Code())
		}},
		{"FUSE is not for admin commands", func(r *rig) {
			e := r.adminCommand(spec.AdminIdentify, 0, spec.CNSController)
			e.SetFuse(1)
			r.eq(spec.InvalidField, r.admin(e).status.Code())
		}},
		{"an unknown opcode is Invalid Command Opcode", adminIs(spec.InvalidOpcode, 0x7f, 0)},
	}},
}
