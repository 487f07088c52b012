package load_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/load"
	"blksim/internal/option"
)

func parse(text string) ([]load.Job, error) {
	var device string
	direct := true
	return load.ParseFile(strings.NewReader(text), "x.fio", load.Defaults{Job: load.DefaultJob(),
		Global: option.Table{{Title: "run", Rows: []option.Row{{Name: "device", Value: option.String(&device)},
			{Name: "direct", Shared: true, Value: option.Bool(&direct)}}}}})
}

func TestSectionsBeginWithWhatGlobalSays(t *testing.T) {
	t.Setenv("DEPTH", "16")
	jobs, err := parse("# a comment\n; another\n[global]\nbs = 8k\nruntime=2\ndirect=1\ndevice=sim\n\n[a]\niodepth=${DEPTH}\n[global]\nrw=randwrite\n[b]\nbs=4k,16k\nthinktime=50\nsize=25%\n")
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	a, b := jobs[0], jobs[1]
	require.Equal(t, "a", a.Name)
	require.EqualValues(t, 16, a.Depth)
	require.Equal(t, "read", a.Pattern.Text)
	require.Equal(t, 2*time.Second, a.Runtime)
	require.Equal(t, load.Range{Min: 8192, Max: 8192}, a.Block[1])
	require.Equal(t, "randwrite", b.Pattern.Text)
	require.EqualValues(t, 4096, b.Block[0].Min)
	require.EqualValues(t, 16384, b.Block[1].Min)
	require.Equal(t, 50*time.Microsecond, b.Think)
	require.Equal(t, 25.0, b.Size.Percent)
}

func TestAJobFileIsReadStrictly(t *testing.T) {
	for text, says := range map[string]string{
		"[a]\niodepht=3\n":                     `x.fio:2: unknown option "iodepht": did you mean "iodepth"?`,
		"[a]\nio_depth=3\n":                    `did you mean "iodepth"?`,
		"[a]\ndirect=0\n[b]\ndirect=1\n":       "x.fio:4: option \"direct\": true, and false in another section",
		"[a]\nbs=4q\n":                         `x.fio:2: option "bs": size "4q"`,
		"[a]\ndevice=ram\n":                    "for the whole run: want it in [global]",
		"bs=4k\n[a]\n":                         "x.fio:1: \"bs=4k\" stands before any section",
		"[a\n":                                 "x.fio:1: ",
		"[global]\nbs=4k\n":                    "no job: want a section",
		"":                                     "no job",
		"[a]\n\nrw\n":                          `x.fio:3: option "rw": want a value`,
		"[a]\nsize=${NO_SUCH_VARIABLE}\n":      "NO_SUCH_VARIABLE",
		"[a]\nsize=${X\n":                      "want a }",
		"[a]\n[b]\nrw=randrw\nrate_iops=0,5\n": "x.fio:2: job b: a rate for reads or for writes alone",
		"[a]\nrate_iops=5\nthinktime=3\n":      "want one of them",
		"[a]\nbssplit=4k/50:8k/60\n":           "not 100 percent",
		"[a]\nrandom_distribution=zoned:90/9:10/90\n": "want 100 of both",
		"[a]\nverify=md5\n":                           "want crc32c",
		"[a]\nverify=crc32c\nverify_interval=3k\n":    "no multiple",
		"[a]\ntime_based\n":                           "want a runtime",
		"[a]\nrw=shuffle\n":                           "want read, write, randread",
		"[a]\nrwmixread=101\n":                        "0 to 100",
		"[a]\nnumjobs=0\n":                            "1 to 256",
	} {
		_, err := parse(text)
		var at *load.FileError
		require.ErrorAs(t, err, &at, text)
		require.ErrorContains(t, err, says, text)
	}
}

// TestOptionsReadWhatTheyWrite: the result of a run lists a job's options, and they
// must describe it.
func TestOptionsReadWhatTheyWrite(t *testing.T) {
	jobs, err := parse("[a]\nrw=randrw\nbssplit=4k/60:64k/40,8k/100\nbsrange=1k-4k,8k-16k\nsize=12.5%\noffset=1g\nrate=10m,20m,30m\nrate_process=poisson\nrandom_distribution=zoned:60/10:40/90\nruntime=90\nramp_time=1500ms\ncancel=random:0.25:3ms\ndeadline=2ms\nrwmixwrite=20\nverify_interval=512\n")
	require.NoError(t, err)
	again := load.DefaultJob()
	from, to := jobs[0].Options(), again.Options()
	for _, name := range from.Names() {
		require.NoError(t, to.Find(name).Value.Set(from.Find(name).Value.String()), name)
	}
	require.Equal(t, jobs[0], again)
}

func FuzzJobFile(f *testing.F) {
	f.Add("[global]\nbs=4k\n[a]\nrw=randread\niodepth=4\n")
	f.Add("[a]\nbssplit=4k/:8k/10\nsize=10%\nrate_iops=1k,,2\nrandom_distribution=zipf:0.9\n")
	f.Fuzz(func(t *testing.T, text string) {
		jobs, err := parse(text)
		for _, j := range jobs {
			if err == nil && j.Validate() != nil {
				t.Fatalf("accepted %q, which is not valid: %v", text, j.Validate())
			}
		}
	})
}
