package option_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/option"
)

func TestDurationsAreASCII(t *testing.T) {
	require.Equal(t, "15us", option.FormatDuration(15*time.Microsecond))
	require.Equal(t, "1.5ms", option.FormatDuration(1500*time.Microsecond))
	d := 3 * time.Microsecond
	require.Equal(t, "3us", option.Duration(&d).String())
	d = 0
	require.Empty(t, option.Duration(&d).String())
}

func TestTheNearestNameIsFound(t *testing.T) {
	names := []string{"iodepth", "queues", "queue-depth", "rate-iops", "rw", "bs", "numjobs", "thinktime", "output", "output-format"}
	for typed, want := range map[string]string{
		"iodepht": "iodepth", "io_depth": "iodepth", "queue": "queues", "queue_dept": "queue-depth", "rate_iosp": "rate-iops",
		"numjob": "numjobs", "think_time": "thinktime", "wr": "rw", "ioengine": "", "zzz": "",
		"out": "output", "output-formt": "output-format",
	} {
		require.Equal(t, want, option.Nearest(typed, names), typed)
	}
}

func TestATableSetsByNameAliasAndEitherDash(t *testing.T) {
	var size int64
	var on bool
	table := option.Table{{Title: "x", Rows: []option.Row{
		{Name: "block-size", Value: option.Size(&size), Alias: []string{"bs"}},
		{Name: "direct", Value: option.Bool(&on)},
		{Name: "output", Value: option.String(new(string)), CommandOnly: true},
	}}}
	for _, name := range []string{"block_size", "block-size", "bs"} {
		size = 0
		require.NoError(t, table.Set(name, "4k", true))
		require.EqualValues(t, 4096, size)
	}
	require.NoError(t, table.Set("direct", "", false))
	require.True(t, on)
	require.NoError(t, table.Set("direct", "0", true))
	require.False(t, on)
	require.ErrorContains(t, table.Set("bs", "", false), "want a value: size")
	require.ErrorContains(t, table.Set("bs", "1q", true), `option "bs": size "1q"`)
	require.ErrorContains(t, table.Set("blok-size", "1", true), `did you mean "block-size"?`)
	require.ErrorContains(t, table.Set("output", "x", true), "for the command line")
}

// TestValuesReadWhatTheyWrite for each kind of value.
func TestValuesReadWhatTheyWrite(t *testing.T) {
	size, dur, word, text := int64(3<<20), 90*time.Second, "b", "x y"
	on, count, seed, scale := true, uint(7), uint64(1<<63), 0.25
	for _, v := range []option.Value{option.Size(&size), option.Duration(&dur), option.Enum(&word, "a", "b"), option.String(&text),
		option.Bool(&on), option.Uint(&count), option.Uint(&seed), option.Float(&scale)} {
		was := v.String()
		require.NoError(t, v.Set(was), v.Type())
		require.Equal(t, was, v.String())
	}
	require.Error(t, option.Enum(&word, "a", "b").Set("c"))
	require.Error(t, option.Uint(&count).Set("-1"))
	require.Error(t, option.Bool(&on).Set("perhaps"))
	require.Error(t, option.Float(&scale).Set("1,5"))
}
