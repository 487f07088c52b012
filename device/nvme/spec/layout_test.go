package spec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// at is a number of n bytes at an offset, by the specification's figure, and
// what must be there. Encoder and decoder could agree on a wrong place: these
// places are written down a second time.
type at struct {
	name string
	off  int
	n    int
	want uint64
}

func checkLayout(t *testing.T, b []byte, fields []at) {
	t.Helper()
	for _, f := range fields {
		v := uint64(0)
		for i := f.n - 1; i >= 0; i-- {
			v = v<<8 | uint64(b[f.off+i])
		}
		require.Equal(t, f.want, v, "%s at %d", f.name, f.off)
	}
}

func TestIdentifyControllerIsLaidOutAsSpecified(t *testing.T) {
	b := make([]byte, IdentifySize)
	d := ControllerData{
		VID: 0x101, SSVID: 0x102, MDTS: 3, CNTLID: 0x104, VER: 0x20000, OAES: 0x100, CNTRLTYPE: 1, OACS: 0x10a, ACL: 5, AERL: 6,
		FRMW: 7, LPA: 8, ELPE: 9, NPSS: 10, WCTEMP: 0x157, CCTEMP: 0x15c, TNVMCAP: 1 << 40, UNVMCAP: 1 << 39, SQES: 0x66,
		CQES: 0x44, NN: 0x1234, ONCS: 0x1dd, FUSES: 1, FNA: 2, VWC: 7, AWUN: 0xfff, AWUPF: 0xf, ACWU: 0xff, OCFS: 1,
		SGLS: 0x50001, MNAN: 77, SubNQN: "nqn",
	}
	d.Encode(b)
	checkLayout(t, b, []at{
		{"VID", 0, 2, 0x101}, {"SSVID", 2, 2, 0x102}, {"MDTS", 77, 1, 3}, {"CNTLID", 78, 2, 0x104}, {"VER", 80, 4, 0x20000},
		{"OAES", 92, 4, 0x100}, {"CNTRLTYPE", 111, 1, 1}, {"OACS", 256, 2, 0x10a}, {"ACL", 258, 1, 5}, {"AERL", 259, 1, 6},
		{"FRMW", 260, 1, 7}, {"LPA", 261, 1, 8}, {"ELPE", 262, 1, 9}, {"NPSS", 263, 1, 10}, {"WCTEMP", 266, 2, 0x157},
		{"CCTEMP", 268, 2, 0x15c}, {"TNVMCAP", 280, 8, 1 << 40}, {"UNVMCAP", 296, 8, 1 << 39}, {"SQES", 512, 1, 0x66},
		{"CQES", 513, 1, 0x44}, {"NN", 516, 4, 0x1234}, {"ONCS", 520, 2, 0x1dd}, {"FUSES", 522, 2, 1}, {"FNA", 524, 1, 2},
		{"VWC", 525, 1, 7}, {"AWUN", 526, 2, 0xfff}, {"AWUPF", 528, 2, 0xf}, {"ACWU", 532, 2, 0xff}, {"OCFS", 534, 2, 1},
		{"SGLS", 536, 4, 0x50001}, {"MNAN", 540, 4, 77}, {"SUBNQN", 768, 4, 'n' | 'q'<<8 | 'n'<<16},
	})
	var back ControllerData
	back.Decode(b)
	require.Equal(t, d, back)
}

func TestIdentifyNamespaceIsLaidOutAsSpecified(t *testing.T) {
	b := make([]byte, IdentifySize)
	d := NamespaceData{
		NSZE: 1 << 33, NCAP: 1 << 32, NUSE: 1 << 31, NSFEAT: 1, NLBAF: 2, FLBAS: 3, DPS: 4, NMIC: 5, DLFEAT: 9, NOIOB: 256,
		NVMCAP: 1 << 42, MSSRL: 0x111, MCL: 0x222, MSRC: 127, NGUID: [16]byte{1, 15: 2}, EUI64: [8]byte{3, 7: 4}, LBADS: [16]uint8{9, 12},
	}
	d.Encode(b)
	checkLayout(t, b, []at{
		{"NSZE", 0, 8, 1 << 33}, {"NCAP", 8, 8, 1 << 32}, {"NUSE", 16, 8, 1 << 31}, {"NSFEAT", 24, 1, 1}, {"NLBAF", 25, 1, 2},
		{"FLBAS", 26, 1, 3}, {"DPS", 29, 1, 4}, {"NMIC", 30, 1, 5}, {"DLFEAT", 33, 1, 9}, {"NOIOB", 46, 2, 256},
		{"NVMCAP", 48, 8, 1 << 42}, {"MSSRL", 74, 2, 0x111}, {"MCL", 76, 4, 0x222}, {"MSRC", 80, 1, 127}, {"NGUID", 104, 1, 1},
		{"NGUID", 119, 1, 2}, {"EUI64", 120, 1, 3}, {"EUI64", 127, 1, 4}, {"LBAF0.LBADS", 130, 1, 9}, {"LBAF1.LBADS", 134, 1, 12},
	})
	var back NamespaceData
	back.Decode(b)
	require.Equal(t, d, back)
}

func TestLogPagesAreLaidOutAsSpecified(t *testing.T) {
	b := make([]byte, 512)
	e := ErrorEntry{Count: 1 << 40, SQID: 2, CID: 3, Status: 0x4002, Location: 40, LBA: 1 << 35, NSID: 6}
	e.Put(b)
	checkLayout(t, b, []at{{"count", 0, 8, 1 << 40}, {"SQID", 8, 2, 2}, {"CID", 10, 2, 3}, {"status, above the phase", 12, 2, 0x8004},
		{"location", 14, 2, 40}, {"LBA", 16, 8, 1 << 35}, {"NSID", 24, 4, 6}})
	require.Equal(t, e, DecodeErrorEntry(b))

	h := Health{Warning: 2, Temperature: 313, Spare: 100, SpareThreshold: 10, Used: 1, UnitsRead: 11, UnitsWritten: 12, Reads: 13,
		Writes: 14, BusyMinutes: 15, PowerCycles: 16, PowerOnHours: 17, UnsafeShutdowns: 18, MediaErrors: 19, ErrorEntries: 20}
	h.Put(b)
	checkLayout(t, b, []at{{"warning", 0, 1, 2}, {"temperature", 1, 2, 313}, {"spare", 3, 1, 100}, {"threshold", 4, 1, 10}, {"used", 5, 1, 1},
		{"units read", 32, 8, 11}, {"units written", 48, 8, 12}, {"reads", 64, 8, 13}, {"writes", 80, 8, 14}, {"busy", 96, 8, 15},
		{"power cycles", 112, 8, 16}, {"power on hours", 128, 8, 17}, {"unsafe shutdowns", 144, 8, 18}, {"media errors", 160, 8, 19},
		{"error entries", 176, 8, 20}})
	require.Equal(t, h, DecodeHealth(b))
}

func TestCommandsAreLaidOutAsSpecified(t *testing.T) {
	var e SQE
	e.Begin(IOCancel, 0x1122, 0x55667788)
	e.SetCDW10(AbortCDW10(0x0102, 0x0304))
	e.SetCDW11(CancelMultiple)
	checkLayout(t, e[:], []at{{"opcode", 0, 1, 0x18}, {"CID", 2, 2, 0x1122}, {"NSID", 4, 4, 0x55667788}, {"SQID", 40, 2, 0x0102},
		{"victim", 42, 2, 0x0304}, {"action", 44, 4, 1}})
	e.SetFuse(FuseSecond)
	e.SetSGL(SGL{Addr: 0x1122334455667788, Len: 0x99aabbcc, Type: SGLLastSegment, Subtype: 1})
	checkLayout(t, e[:], []at{{"FUSE and PSDT", 1, 1, 0x42}, {"address", 24, 8, 0x1122334455667788}, {"length", 32, 4, 0x99aabbcc}, {"type", 39, 1, 0x31}})
	require.Equal(t, SGL{Addr: 0x1122334455667788, Len: 0x99aabbcc, Type: SGLLastSegment, Subtype: 1}, SGLWords(e.PRP1(), e.PRP2()))

	var r [CopyRangeSize]byte
	PutCopyRange(r[:], 1<<40, 65536)
	checkLayout(t, r[:], []at{{"SLBA", 8, 8, 1 << 40}, {"NLB", 16, 2, 65535}})
	slba, n := CopyRange(r[:])
	require.Equal(t, []uint64{1 << 40, 65536}, []uint64{slba, uint64(n)})

	require.EqualValues(t, 0x0002_ffff, CancelResult(70000, 2))
	require.EqualValues(t, 0x0017_0102, EventDword0(EventNotice, 1, 0x17))
	require.EqualValues(t, 0x0403_0207, EncodeArbitration(7, 2, 3, 4))
	require.EqualValues(t, 0x0201, EncodeCoalescing(1, 2))
	require.EqualValues(t, 0x03ff_0002, LogCDW10(LogHealth, 4096))
	require.EqualValues(t, 1, LogCDW11(4*65537))
}

func TestRegistersAreLaidOutAsSpecified(t *testing.T) {
	f := CapFields{MQES: 0x3ff, CQR: true, AMS: 1, TO: 20, DSTRD: 2, NSSRS: true, CSS: 1, MPSMIN: 1, MPSMAX: 4, CRMS: 1}
	require.EqualValues(t, uint64(0x3ff|1<<16|1<<17|20<<24)|2<<32|1<<36|1<<37|1<<48|4<<52|1<<59, f.Encode())
	require.Equal(t, f, f.Encode().Fields())
	require.EqualValues(t, 1|1<<2|1<<4, CSTSReady.WithSHST(ShutdownBusy)|CSTSNSSRO)
}
