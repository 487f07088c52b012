package page_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/page"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/traces"
)

// TestTheVendoredFilesAreThoseOfNpm: their hashes are those that vendor.sh printed.
func TestTheVendoredFilesAreThoseOfNpm(t *testing.T) {
	sums, err := os.Open("uplot/SHA256SUMS")
	require.NoError(t, err)
	defer sums.Close()
	checked := 0
	for scan := bufio.NewScanner(sums); scan.Scan(); checked++ {
		want, name, ok := strings.Cut(scan.Text(), "  ")
		require.True(t, ok)
		content, err := os.ReadFile(filepath.Join("uplot", name))
		require.NoError(t, err)
		got := sha256.Sum256(content)
		require.Equal(t, want, hex.EncodeToString(got[:]), name)
	}
	require.Equal(t, 3, checked)
}

// run is a run with everything that the page draws, of n reads and writes.
func run(name string, n int) *report.Run {
	res := &replay.Result{Skipped: map[string]int64{}, Elapsed: time.Second}
	series := record.NewSeries()
	var slow record.Slowest
	for i := range n {
		at := lane.Time(i) * lane.Time(int64(time.Second)/int64(n))
		took := lane.Time(50_000 + i%977*i%31*900)
		io := replay.IO{Due: at, Submitted: at + 100, Dispatched: at + 1000, Returned: at + took, Ended: at + took, Asked: replay.NoTime, Len: 4096, N: 4096, Op: aio.Op(i % 2)}
		op := &res.Ops[io.Op]
		op.Submitted++
		res.Submitted++
		switch {
		case i%17 == 0:
			io.Status, io.Dispatched, io.Returned = aio.Cancelled, replay.NoTime, replay.NoTime
			res.Tally.Skipped++
		case i%19 == 0:
			io.Status = aio.Cancelled
			res.Aborted++
		default:
			if i%23 == 0 {
				io.Asked = io.Ended - 1
				res.TooLate++
			}
			res.Completed++
			op.Completed++
			op.Bytes += io.N
			op.Latency.Add(int64(took))
		}
		series.Add(&io)
		slow.Add(&io)
	}
	r := &report.Run{Name: name, Setup: report.Setup{Device: "sim:test", Capacity: 1 << 40, Queues: 1, QueueDepth: 32, Clock: "virtual"},
		Trace: report.Trace{Name: "</script><b>trace & co"}}
	r.Fill(res, traces.Stats{})
	r.Record(slow.Sorted(), series)
	r.Odd = append(r.Odd, "a note with </script> in it")
	return r
}

func write(t *testing.T, runs ...*report.Run) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, page.Write(&b, "blksim: <sim>", runs))
	return b.Bytes()
}

var outside = regexp.MustCompile(`(?i)(src|href)\s*=|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(`)

// TestThePageIsWholeAndAsksForNothing: one file under 2 MB, which holds its data
// safely, and has no reference to another.
func TestThePageIsWholeAndAsksForNothing(t *testing.T) {
	text := write(t, run("a", 200_000), run("b", 200_000), run("c", 200_000))
	require.Less(t, len(text), 2_000_000)
	require.Empty(t, outside.FindAllString(string(text), -1))
	require.Equal(t, 3, strings.Count(string(text), "</script>"), "data does not end a script")
	require.Contains(t, string(text), "Permission is hereby granted", "uPlot's licence")
	require.Equal(t, text, write(t, run("a", 200_000), run("b", 200_000), run("c", 200_000)))
}

// TestChromiumDrawsEveryChart of one run, of several, and of one with nothing in it.
func TestChromiumDrawsEveryChart(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a browser")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed (Debian's package chromium)")
	}
	empty := &report.Run{Name: "nothing"}
	empty.Fill(&replay.Result{Skipped: map[string]int64{}}, traces.Stats{})
	for name, c := range map[string]struct {
		runs            []*report.Run
		plots, canvases int
		says            []string
	}{
		"one":     {[]*report.Run{run("nvme", 5000)}, 6, 7, []string{"Slowest requests", "skipped at dispatch", "too late to cancel", "Latency heatmap"}},
		"two":     {[]*report.Run{run("before", 5000), run("after", 3000)}, 7, 9, []string{"before: p99", "Slowest requests: after"}},
		"nothing": {[]*report.Run{empty}, 0, 0, []string{"Summary"}},
	} {
		dom := render(t, browser, write(t, c.runs...))
		require.Contains(t, dom, `data-ready="yes"`, "%s: the script did not run to its end", name)
		require.Equal(t, c.plots, strings.Count(dom, `class="uplot`), name)
		require.Equal(t, c.canvases, strings.Count(dom, "<canvas"), name)
		for _, s := range c.says {
			require.Contains(t, dom, s, name)
		}
		require.NotContains(t, dom, "NaN", name)
	}
}

// render is what a browser makes of a page, as HTML.
func render(t *testing.T, browser string, text []byte) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--window-size=1280,2000", "--virtual-time-budget=3000", "--dump-dom", "file://"+path)
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}
