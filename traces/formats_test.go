package traces

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachFormatIsDetectedAndReadAsWritten(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			out, err := readBoth(t, []byte(s.data), Options{})
			require.NoError(t, err)
			require.NoError(t, out.err)
			require.Equal(t, s.format, out.format)
			require.Equal(t, s.recs, out.recs)
			require.Equal(t, s.volumes, out.volumes)
			require.Equal(t, s.skipped, out.stats.Skipped)
			require.Equal(t, s.notes, out.stats.Notes)
			require.Equal(t, s.late, out.stats.OutOfOrder)
			require.Zero(t, out.stats.Rejected)
		})
	}
}

func TestEachFormatHasASample(t *testing.T) {
	for _, f := range Formats() {
		if f.Name != "csv" { // TestAnyTableIsReadByItsColumns
			require.NotEmpty(t, sampleOf(f.Name).recs)
		}
		require.NotEmpty(t, f.Title)
	}
}

func TestAForcedFormatReadsTheSame(t *testing.T) {
	for _, s := range samples {
		out := read(t, s.data, Options{Format: s.format})
		require.NoError(t, out.err)
		require.Equal(t, s.recs, out.recs)
		require.Equal(t, "asked for", out.why)
	}
}

func TestTextMayHaveBOMAndCRLFAndCommentsAndNoLastNewline(t *testing.T) {
	for _, s := range samples {
		if !s.isText() {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			data := strings.TrimPrefix(s.data, "\xef\xbb\xbf")
			data = strings.TrimSuffix(strings.ReplaceAll(data, "\r\n", "\n"), "\n")
			lines := strings.Split(data, "\n")
			// The first line may name the format, so nothing comes before it.
			data = "\xef\xbb\xbf" + lines[0] + "\r\n\r\n  \r\n# comment\r\n" + strings.Join(lines[1:], "\r\n")
			out := read(t, data, Options{})
			require.NoError(t, out.err)
			require.Equal(t, s.format, out.format)
			require.Len(t, out.recs, len(s.recs))
			for i, want := range s.recs {
				if want.Line > 1 {
					want.Line += 3
				}
				require.Equal(t, want, out.recs[i])
			}
		})
	}
}

func TestBlkparseActionIsChosen(t *testing.T) {
	data := sampleOf("blkparse").data
	out := read(t, data, Options{Action: 'D'})
	require.Equal(t, []Record{asked(rec(4, 0, Write, 223000*512, 8*512, 0), 1, Sync)}, out.recs)
	require.Contains(t, out.stats.Skipped, SkipCount{"blkparse action Q", 7})
	out = read(t, data, Options{Action: 'C'})
	require.Equal(t, []Record{asked(rec(14, 0, Write, 223000*512, 8*512, 0), 0, Sync)}, out.recs)
	out = read(t, data, Options{Action: 'I'})
	require.Empty(t, out.recs)

	only := "  8,0    1        1     1.000000000   697  C  WS 8 + 8 [0]\n"
	out = read(t, only, Options{})
	require.Len(t, out.recs, 1)
	require.Equal(t, []string{"no Q (queued) or D (issued) events at the beginning: took C (completed), whose times are those of the completions"}, out.stats.Notes)
}

func TestRWBSIsReadAsBlkparseAndTheKernelWriteIt(t *testing.T) {
	for in, want := range map[string]rwbs{
		"R": {op: Read}, "RA": {op: Read, flags: Readahead}, "RSM": {op: Read, flags: Sync | Meta}, "W": {op: Write},
		"WS": {op: Write, flags: Sync}, "WFSM": {op: Write, flags: FUA | Sync | Meta}, "FWS": {op: Write, flags: Preflush | Sync},
		"FWFS": {op: Write, flags: Preflush | FUA | Sync}, "D": {op: Discard}, "DS": {op: Discard, flags: Sync}, "DE": {op: Discard},
		"F": {op: Flush}, "FF": {op: Flush}, "FS": {op: Flush, flags: Sync}, "FN": {op: Flush},
		"N": {op: Flush, none: true}, "WB": {op: Write},
	} {
		got, ok := parseRWBS([]byte(in))
		require.True(t, ok, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "X", "RX", "r", "W8", "S"} {
		_, ok := parseRWBS([]byte(in))
		require.False(t, ok, in)
	}
}

func TestOpMapChangesTheOpsOfMQSimAndDiskSim(t *testing.T) {
	out := read(t, "0 0 8 1 0\n1 0 8 1 1\n2 0 8 1 5\n", Options{OpMap: "0=read,1=write,5=D"})
	require.Equal(t, []Op{Read, Write, Discard}, ops(out.recs))
	require.Equal(t, "the type column was read as 0=read,1=write,5=discard", out.stats.Notes[0])
	out = read(t, "0.5 0 8 1 0\n1.5 0 8 1 1\n", Options{OpMap: "0=read,1=write"})
	require.Equal(t, []Op{Read, Write}, ops(out.recs))
}

func ops(recs []Record) []Op {
	out := make([]Op, len(recs))
	for i, r := range recs {
		out[i] = r.Op
	}
	return out
}

func TestBlockSizeIsTheUnitOfSectors(t *testing.T) {
	out := read(t, "0 0 8 2 0\n", Options{BlockSize: 4096})
	require.Equal(t, []Record{rec(1, 0, Write, 8*4096, 2*4096, 0)}, out.recs)
	out = read(t, "0,8,100,r,0.0\n", Options{BlockSize: 4096})
	require.Equal(t, []Record{rec(1, 0, Read, 8*4096, 100, 0)}, out.recs)
}

func TestTimeUnitIsThatOfWholeNumbers(t *testing.T) {
	data := "fio version 3 iolog\n1000 /dev/sda read 0 512\n3000 /dev/sda read 0 512\n"
	require.Equal(t, 2000*us, read(t, data, Options{}).recs[1].Time)
	require.Equal(t, 2000*ns, read(t, data, Options{TimeUnit: 1}).recs[1].Time)
	require.EqualError(t, openErr(t, "0,8,100,r,0.0\n", Options{TimeUnit: 1}),
		"traces: t: format spc has decimal times: no unit of time can be given")
}

func TestVolumeKeepsOneAndCountsTheOthers(t *testing.T) {
	s := sampleOf("msr")
	out, err := readBoth(t, []byte(s.data), Options{Volume: "hm_0"})
	require.NoError(t, err)
	// The times still count from the first record of the trace, so that two volumes
	// of one trace can be replayed side by side.
	require.Equal(t, []Record{s.recs[1], s.recs[4]}, out.recs)
	require.Equal(t, []SkipCount{{"other volume", 3}}, out.stats.Skipped)
	require.Equal(t, s.volumes, out.volumes)

	out = read(t, s.data, Options{Volume: "hm"})
	require.Empty(t, out.recs)
	require.Equal(t, []string{`no record of volume "hm"; the volumes are: hm_1 hm_0`}, out.stats.Notes)
}

func TestANoteSaysThatVolumesShareOneAddressRange(t *testing.T) {
	note := "2 volumes share one address range: the option volume keeps one"
	data := sampleOf("msr").data
	require.Contains(t, read(t, data, Options{}).stats.Notes, note)
	require.Empty(t, read(t, data, Options{Volume: "hm_0"}).stats.Notes)
	// A volume whose only record is rejected has delivered none.
	data = "5000000000 0 8 8 1\n8000000000 0 8 8 1\n9000000000 1 8 8 1\n9500000000 0 8 8 1\n1000000000 2 8 8 1\n"
	require.Contains(t, read(t, data, Options{OnError: Skip}).stats.Notes, note)
}

// Lines about the file itself are no records, as headers are none.
func TestFioActionsOnTheFileAreNoRecords(t *testing.T) {
	for _, s := range samples {
		if s.format == "fio2" || s.format == "fio3" {
			out := read(t, s.data, Options{})
			waits := int64(strings.Count(s.data, " wait "))
			require.Equal(t, int64(len(s.recs))+waits, out.stats.In)
			require.Equal(t, waits, out.stats.SkippedTotal())
		}
	}
}

func TestAHeaderMayRecurAndAnotherMayNot(t *testing.T) {
	header := "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\n"
	line := "130000000000000017,hm,1,Read,104857600,32768,400\n"
	require.Len(t, read(t, header+line+header+line, Options{}).recs, 2)
	out := read(t, line+header+line, Options{})
	require.EqualError(t, out.err, `t:2: disk "DiskNumber": want a decimal disk number`)
}

func TestFioTimesThatSpanDaysAreSuspected(t *testing.T) {
	data := "fio version 3 iolog\n0 /dev/sda read 0 512\n900000000001 /dev/sda read 0 512\n"
	require.Contains(t, strings.Join(read(t, data, Options{}).stats.Notes, "\n"),
		"the times span 250h0m0s as microseconds, which fio's are: if they are nanoseconds, say so with the option time-unit")
	require.Empty(t, read(t, data, Options{TimeUnit: 1}).stats.Notes)
}
