package traces

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnyTableIsReadByItsColumns(t *testing.T) {
	for _, c := range []struct {
		columns, ops, data string
		recs               []Record
		volumes            []string
	}{
		{"time=ts:us,offset=lba:512,size=Bytes,op=type,volume=dev,latency=rt:ms,process=comm,pid=pid", "",
			"ts,lba,bytes,type,dev,rt,comm,pid,more\n1000.5,8,4096,Read,sda,0.25,dd,7,x\n1001,16,512,WS,\"sdb\",,cp,8,x\n",
			[]Record{asked(timed(rec(2, 0, Read, 8*512, 4096, 0), 0, 250*us), 1, 0), asked(rec(3, 500, Write, 16*512, 512, 1), 2, 0)}, []string{"sda", "sdb"}},
		{"time=1,offset=2,size=3:512,op=4", "", "1.000000001;0;1;r\n1.5;512;2;trim\n2;0;0;flush\n2;0;1;z\n",
			[]Record{rec(1, 0, Read, 0, 512, 0), rec(2, 499999999, Discard, 512, 1024, 0), rec(3, 999999999, Flush, 0, 0, 0), rec(4, 999999999, WriteZeroes, 0, 512, 0)}, noVolume},
		{"time=1:filetime,offset=2,size=3,op=4", "5=W,6=R", "130000000000000017 1 2 5\n130000000000000018\t3 4  6\n",
			[]Record{rec(1, 0, Write, 1, 2, 0), rec(2, 100, Read, 3, 4, 0)}, noVolume},
		{"time=1:1h,offset=2,size=3,op=4", "", "1.999999999,0,1,R\n2.5,0,1,R\n",
			[]Record{rec(1, 0, Read, 0, 1, 0), rec(2, 3600*s/2+3600, Read, 0, 1, 0)}, noVolume},
		{"offset=1:4096,size=2", "=write", "0|1\n7|4096\n", []Record{rec(1, 0, Write, 0, 1, 0), rec(2, 0, Write, 7*4096, 4096, 0)}, noVolume},
		{"time=1:ns,offset=2,size=3,op=4", "", "t,o,s,p\n5,0,1,R\nt,o,s,p\n7,0,1,W\n",
			[]Record{rec(2, 0, Read, 0, 1, 0), rec(4, 2, Write, 0, 1, 0)}, noVolume},
	} {
		out, err := readBoth(t, []byte(c.data), Options{Columns: c.columns, OpMap: c.ops})
		require.NoError(t, err, c.columns)
		require.NoError(t, out.err, c.columns)
		require.Equal(t, "csv", out.format)
		require.Equal(t, c.recs, out.recs, c.columns)
		require.Equal(t, c.volumes, out.volumes)
	}
}

// csvSample is not among the samples: it is not read without its columns.
func csvSample() sample {
	return sample{name: "csv", format: "csv",
		data: "ts,lba,bytes,type,dev,rt,comm,pid,more\n1000.5,8,4096,Read,sda,0.25,dd,7,x\n1001,16,512,WS,\"sdb\",,cp,8,x\n"}
}

func TestColumnsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ columns, format, ops, want string }{
		{"time=1,size=2", "", "", "offset and size are needed"},
		{"time=1,offset=2,size=3,when=4", "", "", `"when" is no field`},
		{"offset=2,offset=3,size=1", "", "", "offset is named twice, or has no column"},
		{"offset=0,size=1", "", "", "column 0: 1 to 64"},
		{"offset=1:x,size=1", "", "", `unit "x" of offset`},
		{"time=1:fortnight,offset=1,size=1", "", "", `unit "fortnight" of time`},
		{"time=1,offset=2,size=3", "", "", "want a column for op, or an op map of one op for all: =read"},
		{"time=1,offset=2,size=3,op=4", "msr", "", "the format msr has its own"},
		{"", "csv", "", `"" is no field`},
	} {
		require.ErrorContains(t, Options{Columns: c.columns, Format: c.format, OpMap: c.ops}.Validate(), c.want)
	}
	columns := "time=ts,offset=o,size=s,op=p"
	for want, data := range map[string]string{
		`t:1: header "ts,o,s": want a column "p" for op`:                                     "ts,o,s\n1,2,3\n",
		`t:2: op "x": want a word that begins with R, W, F, D, T or Z, or one of the op map`: "ts,o,s,p\n1,2,3,x\n",
		`t:2: line "1,2,3": want 4 columns or more`:                                          "ts,o,s,p\n1,2,3\n",
		`t:2: time "-1": want a decimal number, within 146 years of the first`:               "ts,o,s,p\n-1,2,3,R\n",
		`t:2: size "0": want a decimal number of bytes > 0`:                                  "ts,o,s,p\n1,2,0,R\n",
	} {
		require.EqualError(t, read(t, data, Options{Columns: columns}).err, want)
	}
	require.ErrorContains(t, openErr(t, "1,2,3,R\n", Options{Columns: columns, TimeUnit: 5}), "the unit of a table's time stands in its columns")
}

func TestABzip2StreamIsUnwrapped(t *testing.T) {
	// Made by bzip2: the standard library only reads it.
	packed := "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x03\x4e\xb8\xbe\x00\x00\x0d\x5a\x00\x00\x10\x00\x04\x77\xe0\x10\x80\x20\x00\x31\x00\xd0\x00\x95\x1e\x93\x46\x8d\xa9\xca\xd8\xe1\x3d\x1d\xf1\x45\xd8\xe3\x09\x66\xc8\x4d\x1f\x17\x72\x45\x38\x50\x90\x03\x4e\xb8\xbe"
	out := read(t, packed, Options{})
	require.NoError(t, out.err)
	require.Equal(t, []Record{rec(1, 0, Write, 4096, 512, 0), rec(2, 1*us, Read, 8192, 512, 0)}, out.recs)
	require.Len(t, read(t, packed+packed, Options{}).recs, 4)
	for n := 4; n < len(packed); n++ {
		out, err := readBoth(t, []byte(packed[:n]), Options{})
		if err == nil {
			err = out.err
		}
		require.ErrorIs(t, err, ErrTruncated, "cut at %d", n)
	}
	damaged := []byte(packed)
	damaged[12] ^= 0x40 // in the block's checksum
	out, err := readBoth(t, damaged, Options{})
	if err == nil {
		err = out.err
	}
	require.ErrorIs(t, err, ErrCorrupt)
}
