package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/report"
)

// runJSON runs a load with JSON results, which must succeed.
func runJSON(t *testing.T, args ...string) *report.Run {
	t.Helper()
	code, out, errs := blksim(append([]string{"run", "--output-format=json"}, args...)...)
	require.Zero(t, code, errs)
	return decode(t, out)[0]
}

func TestALoadRunsOverEveryDeviceInBothTimes(t *testing.T) {
	for device, queues := range map[string]string{"sim": "2", "sim:null": "2", "ram": "1", "null": "1"} {
		for _, clock := range []string{"--realtime=0", "--realtime=1"} {
			r := runJSON(t, "--device="+device, clock, "--rw=randrw", "--bs=4k,8k", "--iodepth=8", "--size=8m", "--io_size=1g", "--number_ios=2000", "--numjobs=2", "--queues="+queues)
			require.True(t, r.Accounting.Balanced)
			require.EqualValues(t, 4000, r.Accounting.Requests.Completed)
			require.Len(t, r.Jobs, 2)
			require.Equal(t, map[string]string{"rw": "randrw", "bs": "4KiB,8KiB", "iodepth": "8", "size": "8MiB", "io-size": "1GiB", "number-ios": "2000", "numjobs": "2"},
				without(r.Jobs[1].Options, "bsrange", "randseed"))
		}
	}
}

func without(m map[string]string, keys ...string) map[string]string {
	for _, k := range keys {
		delete(m, k)
	}
	return m
}

func TestTheSameLoadAndSeedGiveTheSameBytes(t *testing.T) {
	args := []string{"run", "--output-format=json", "--rw=randrw", "--rate_iops=30k", "--rate_process=poisson", "--bssplit=4k/50:64k/50",
		"--random_distribution=zipf:0.9", "--deadline=1ms", "--cancel=random:0.1", "--numjobs=2", "--runtime=100ms", "--seed=3"}
	_, first, _ := blksim(args...)
	code, again, errs := blksim(args...)
	require.Zero(t, code, errs)
	require.Equal(t, first, again)
	_, other, _ := blksim(append(args, "--seed=4")...)
	require.NotEqual(t, first, other)
}

func TestVerifyOverTheSimulatedDevice(t *testing.T) {
	r := runJSON(t, "--rw=randrw", "--verify=crc32c", "--size=4m", "--iodepth=16", "--deadline=150us", "--bs=16k", "--verify_interval=4k")
	require.Zero(t, r.Verify.Bad)
	require.Greater(t, r.Verify.Checked, int64(500))
	code, _, errs := blksim("run", "--device=null", "--rw=write", "--verify=crc32c", "--size=1m")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "the device keeps no data")
}

func TestJobFilesAndTheCommandLine(t *testing.T) {
	path := file(t, "jobs.fio", "[global]\ndevice=sim:slow\nbs=8k\nnumber_ios=50\n[a]\nrw=randread\n[b]\nstonewall\nrw=write\n")
	r := runJSON(t, path)
	require.Equal(t, "sim:slow", r.Setup.Device)
	require.EqualValues(t, 50, r.Ops["read"].Completed)
	require.EqualValues(t, 50, r.Ops["write"].Completed)
	require.Equal(t, "sim:optane", runJSON(t, "--device=sim:optane", path).Setup.Device, "the command line overrides [global]")

	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--bs=4k", path}, exitUsage, "the options of the jobs come from the file"},
		{[]string{"--readonly", path}, exitUsage, "readonly: job b has rw=write"},
		{[]string{path, path}, exitUsage, "2 job files"},
		{[]string{"/no/such.fio"}, exitInput, "/no/such.fio"},
		{[]string{file(t, "bad.fio", "[a]\nblocksze=3\n")}, exitInput, `bad.fio:2: unknown option "blocksze": did you mean "blocksize"?`},
		{[]string{"--ioengine=libaio"}, exitUsage, "--ioengine: only for a file or block device: want --device PATH"},
		{[]string{"--blocksize=4q"}, exitUsage, "size"},
		{[]string{"--size=64TiB"}, exitUsage, "the device has"},
		{[]string{"--time_based"}, exitUsage, "want a runtime"},
	} {
		code, _, errs := blksim(append([]string{"run"}, c.args...)...)
		require.Equal(t, c.code, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says)
	}
}

// TestFiosOwnToolReadsJSONPlus: fio_jsonplus_clat2csv makes its table of the bins,
// and its own validation finds them all again.
func TestFiosOwnToolReadsJSONPlus(t *testing.T) {
	tool, err := exec.LookPath("fio_jsonplus_clat2csv")
	if err != nil {
		t.Skip("fio_jsonplus_clat2csv is not installed (Debian's package fio)")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.json")
	code, _, errs := blksim("run", "--output-format=json+", "--output="+out, "--rw=randrw", "--rate_iops=20k", "--fsync=10",
		"--runtime=100ms", "--numjobs=2", "--deadline=2ms")
	require.Zero(t, code, errs)
	csv := filepath.Join(dir, "out.csv")
	for _, args := range [][]string{{out, csv}, {out, csv, "--validate"}} {
		said, err := exec.Command(tool, args...).CombinedOutput()
		require.NoError(t, err, "%s", said)
	}
	table, err := os.ReadFile(filepath.Join(dir, "out_job1.csv"))
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(table), "\n"), 20)

	// A replay is one job.
	out = filepath.Join(dir, "replay.json")
	code, _, errs = blksim("replay", "--output-format=json+", "--output="+out, head(t, sample, 500))
	require.Zero(t, code, errs)
	said, err := exec.Command(tool, out, csv).CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// TestJSONPlusHasFiosShape: the keys of a job of fio's that scripts read, and our
// own result beside them.
func TestJSONPlusHasFiosShape(t *testing.T) {
	code, text, errs := blksim("run", "--output-format=json+", "--rw=randrw", "--runtime=50ms", "--percentile_list=50:99.9")
	require.Zero(t, code, errs)
	var out struct {
		Version string `json:"fio version"`
		Jobs    []struct {
			Name string `json:"jobname"`
			Read struct {
				IOPS  float64 `json:"iops"`
				Total int64   `json:"total_ios"`
				Clat  struct {
					N          int64
					Mean       float64
					Percentile map[string]int64
					Bins       map[string]int64
				} `json:"clat_ns"`
			}
		}
		Blksim report.Several
	}
	require.NoError(t, json.Unmarshal([]byte(text), &out))
	require.True(t, strings.HasPrefix(out.Version, "fio-"))
	read := out.Jobs[0].Read
	require.Equal(t, read.Total, read.Clat.N)
	require.Contains(t, read.Clat.Percentile, "99.900000")
	require.Len(t, read.Clat.Percentile, 2)
	sum := int64(0)
	for _, n := range read.Clat.Bins {
		sum += n
	}
	require.Equal(t, read.Total, sum)
	require.Equal(t, out.Blksim.Runs[0].Ops["read"].Completed, read.Total)
}
