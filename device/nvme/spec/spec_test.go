package spec

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// put64 is the reference for fields: the whole entry as eight-byte words.
func put64(b []byte, off int, v uint64) { binary.LittleEndian.PutUint64(b[off:], v) }

func TestSQEFieldsLieWhereTheSpecificationPutsThem(t *testing.T) {
	var e SQE
	put64(e[:], 0, 0x1122_3344<<32|0xbeef_0000|0x0000_c299) // PSDT 3, fuse 2
	put64(e[:], 16, 0x0102030405060708)
	put64(e[:], 24, 0x1112131415161718)
	put64(e[:], 32, 0x2122232425262728)
	put64(e[:], 40, 0xbbbbbbbb_aaaaaaaa)
	put64(e[:], 48, 0xdddddddd_cccccccc)
	put64(e[:], 56, 0xffffffff_eeeeeeee)
	require.EqualValues(t, 0x99, e.Opcode())
	require.EqualValues(t, 2, e.Fuse())
	require.EqualValues(t, 3, e.PSDT())
	require.EqualValues(t, 0xbeef, e.CID())
	require.EqualValues(t, 0x11223344, e.NSID())
	require.EqualValues(t, 0x0102030405060708, e.MPTR())
	require.EqualValues(t, 0x1112131415161718, e.PRP1())
	require.EqualValues(t, 0x2122232425262728, e.PRP2())
	require.Equal(t, uint64(0xbbbbbbbb_aaaaaaaa), e.SLBA())
	require.Equal(t, []uint32{0xaaaaaaaa, 0xbbbbbbbb, 0xcccccccc, 0xdddddddd, 0xeeeeeeee, 0xffffffff},
		[]uint32{e.CDW10(), e.CDW11(), e.CDW12(), e.CDW13(), e.CDW14(), e.CDW15()})

	var s SQE
	s[63] = 1 // Begin clears it
	s.Begin(0x99, 0xbeef, 0x11223344)
	s.SetFuse(2)
	s.SetPSDT(3)
	s.SetMPTR(0x0102030405060708)
	s.SetPRPs(0x1112131415161718, 0x2122232425262728)
	s.SetSLBA(0)
	s.SetCDW10(0xaaaaaaaa)
	s.SetCDW11(0xbbbbbbbb)
	s.SetCDW12(0xcccccccc)
	s.SetCDW13(0xdddddddd)
	s.SetCDW14(0xeeeeeeee)
	s.SetCDW15(0xffffffff)
	require.Equal(t, e, func() SQE { x := s; x[1] = e[1]; return x }(), "all but the reserved bits of byte 1")
	require.EqualValues(t, 0xc2, s[1])
}

func TestCQEIsPublishedByItsLastDword(t *testing.T) {
	ring := make([]byte, 4*CQESize)
	e := CQEAt(ring, 2)
	e.Publish(0x1111222233334444, 7, 9, MakeDword3(0xabcd, true, InvalidField|DoNotRetry|More))
	require.EqualValues(t, 0x33334444, e.Result())
	require.EqualValues(t, 0x1111222233334444, e.Result64())
	require.EqualValues(t, 7, e.SQHead())
	require.EqualValues(t, 9, e.SQID())
	d := e.Poll()
	require.EqualValues(t, 0xabcd, d.CID())
	require.True(t, d.Phase())
	require.Equal(t, InvalidField, d.Status().Code())
	require.True(t, d.Status().DNR())
	// Bit by bit, as on the wire: status in 31:17, phase 16, CID 15:0.
	require.Equal(t, uint32(1<<31|1<<30|2<<17|1<<16|0xabcd), binary.LittleEndian.Uint32(ring[2*CQESize+12:]))
	require.Equal(t, make([]byte, 2*CQESize), ring[:2*CQESize])
	require.Equal(t, make([]byte, CQESize), ring[3*CQESize:])
}

func TestHandoverIsLittleEndianAndAligned(t *testing.T) {
	b := make([]byte, 2*CQESize)
	e := CQEAt(b, 1)
	e.HandOver(0x04030201)
	require.Equal(t, []byte{1, 2, 3, 4}, b[2*CQESize-4:])
	require.EqualValues(t, 0x04030201, e.takeOver())
	require.Panics(t, func() { CQEs(b[1:]) })
	require.Panics(t, func() { CQEAt(b, 2) })
}

func TestRegistersRoundTrip(t *testing.T) {
	c := CapFields{MQES: 0xfffe, CQR: true, AMS: 3, TO: 0xaa, DSTRD: 10, CSS: 0xc1, MPSMIN: 1, MPSMAX: 15}
	require.Equal(t, c, c.Encode().Fields())
	require.EqualValues(t, uint64(15)<<52|uint64(1)<<48|uint64(0xc1)<<37|uint64(10)<<32|0xaa<<24|3<<17|1<<16|0xfffe, c.Encode())
	f := CCFields{EN: true, CSS: 6, MPS: 9, AMS: 7, SHN: 2, IOSQES: 6, IOCQES: 4}
	require.Equal(t, f, f.Encode().Fields())
	require.EqualValues(t, 4<<20|6<<16|2<<14|7<<11|9<<7|6<<4|1, f.Encode())
	require.EqualValues(t, 2, f.Encode().SHN())
	a := EncodeAQA(4096, 2)
	require.EqualValues(t, 1<<16|4095, a)
	require.Equal(t, 4096, a.SQEntries())
	require.Equal(t, 2, a.CQEntries())
	s := (CSTSReady | CSTSFatal).WithSHST(ShutdownComplete)
	require.EqualValues(t, 0b1011, s)
	require.True(t, s.Ready() && s.Fatal())
	require.EqualValues(t, ShutdownComplete, s.SHST())
	require.EqualValues(t, 0x1000, SQTailDoorbell(0, 0))
	require.EqualValues(t, 0x1004, CQHeadDoorbell(0, 0))
	require.EqualValues(t, 0x1000+2*3*16, SQTailDoorbell(3, 2))
	require.EqualValues(t, 0x1000+7*16, CQHeadDoorbell(3, 2))
}

func TestIdentifyRoundTrips(t *testing.T) {
	b := make([]byte, IdentifySize)
	c := ControllerData{VID: 1, SSVID: 2, Serial: "S", Model: "a model", Firmware: "fw", MDTS: 5, CNTLID: 6, VER: Version,
		OAES: 7, CNTRLTYPE: 1, OACS: 8, ACL: 9, AERL: 10, FRMW: 11, LPA: 12, ELPE: 13, NPSS: 14, WCTEMP: 15, CCTEMP: 16,
		SQES: 0x66, CQES: 0x44, NN: 17, ONCS: 18, FUSES: 19, VWC: 20, SGLS: 21, SubNQN: "nqn.x"}
	c.Encode(b)
	var c2 ControllerData
	c2.Decode(b)
	require.Equal(t, c, c2)
	require.Equal(t, "S                   ", string(b[4:24]), "padded with spaces")
	require.EqualValues(t, 0x66, b[512])

	n := NamespaceData{NSZE: 1, NCAP: 2, NUSE: 3, NSFEAT: 4, NLBAF: 1, FLBAS: 1, DLFEAT: 9, NGUID: [16]byte{15: 7}, EUI64: [8]byte{1}}
	n.LBADS[0], n.LBADS[1] = 9, 12
	n.Encode(b)
	var n2 NamespaceData
	n2.Decode(b)
	require.Equal(t, n, n2)
	require.Equal(t, 4096, n2.BlockSize())
	require.EqualValues(t, 12, b[128+4+2])
	n2.LBADS[1] = 3
	require.Zero(t, n2.BlockSize())
}

func TestCommandEncodings(t *testing.T) {
	require.EqualValues(t, 255<<16|3, QueueCDW10(3, 256))
	require.EqualValues(t, 7<<16|3, CreateCQCDW11(7, true))
	require.EqualValues(t, 7<<16|1, CreateCQCDW11(7, false))
	require.EqualValues(t, 5<<16|2<<1|1, CreateSQCDW11(5, 2))
	require.EqualValues(t, 9<<16|1, AbortCDW10(1, 9))
	sq, cq := DecodeQueues(EncodeQueues(3, 65535))
	require.Equal(t, []int{3, 65535}, []int{sq, cq})
	b := make([]byte, DSMRangeSize)
	PutDSMRange(b, 0x1122334455667788, 99)
	slba, n := DSMRange(b)
	require.EqualValues(t, 0x1122334455667788, slba)
	require.EqualValues(t, 99, n)
}

func TestEveryStatusHasItsOwnName(t *testing.T) {
	seen := map[string]Status{}
	for s := Status(0); s <= codeMask; s++ {
		name := s.String()
		if old, dup := seen[name]; dup {
			t.Errorf("%x and %x are both %q", s, old, name)
		}
		seen[name] = s
		require.Equal(t, name, (s | DoNotRetry | More).String())
	}
	require.Equal(t, "status 7/ffh", codeMask.String())
	require.EqualValues(t, 2, UnrecoveredRead.SCT())
	require.EqualValues(t, 0x81, UnrecoveredRead.SC())
	require.True(t, (Success | More).OK())
}
