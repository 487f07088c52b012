package lint

// layer says what the packages of a folder may import besides the standard
// library. A path that ends in /... stands for all packages below the folder
// and, in may, for the folder's own. Paths are without the module's name.
type layer struct {
	folder string
	may    []string
}

const (
	anyOwn     = "own packages/..." // all of the module but cmd
	anyOutside = "other modules/..."

	sys      = "golang.org/x/sys/..."
	directio = "github.com/ncw/directio"
	ebpf     = "github.com/cilium/ebpf/..."
	compress = "github.com/klauspost/compress/..."
	parquet  = "github.com/parquet-go/parquet-go/..."
	toml     = "github.com/pelletier/go-toml/v2/..."
)

// layers is the table of ARCHITECTURE.md, "Packages and who may import whom".
// The layer with the longest folder counts; a package without one is a finding.
var layers = []layer{
	{"aio", []string{"aio/lane", "internal/step", "internal/wheel", sys}},
	{"aio/lane", []string{"internal/step", "internal/wheel"}},
	{"aio/lane/lanetest", []string{"aio/lane"}},

	{"device/nvme", []string{"aio/lane", "device/nvme/...", "internal/...", "sim/faultplan"}},
	{"device/nvme/...", []string{"aio/lane", "device/nvme/...", "internal/..."}},
	{"device/disk", []string{"aio/lane", "device/disk/...", "internal/...", sys, directio}},
	{"device/disk/...", []string{"aio/lane", "device/disk/...", "internal/...", sys, directio}},

	{"driver", []string{"aio", "aio/lane", "internal/step"}},
	{"driver/...", []string{"driver", "aio", "aio/lane", "internal/step"}}, // null, ram, trace, example
	{"driver/delay", []string{"driver", "aio", "aio/lane", "sim"}},
	{"driver/fault", []string{"driver", "aio", "aio/lane", "sim", "sim/faultplan"}},
	{"driver/nvme", []string{"driver", "aio", "aio/lane", "internal/step", "device/nvme/..."}},
	{"driver/disk", []string{"driver", "aio", "aio/lane", "internal/step", "internal/cacheline", "device/disk/..."}},
	{"driver/drivertest", []string{"driver/...", "blk/...", "aio/...", "sim", "internal/blockmodel"}},
	{"driver/drivertest/...", []string{"driver/...", "blk/...", "aio/...", "sim"}},

	{"blk", []string{"aio", "aio/lane", "driver", "blk/...", "internal/cacheline", "internal/hist", "internal/step"}},
	{"blk/...", []string{"aio", "aio/lane", "driver", "blk/...", "internal/hist", "internal/step"}},

	{"sim", []string{"aio/lane", "internal/wheel"}},
	{"sim/...", []string{anyOwn}}, // the whole-stack simulator

	{"traces", []string{"traces/...", compress}},
	{"traces/...", []string{"traces/...", compress}},
	{"traces/summary", []string{"traces", "internal/hist"}},
	{"traces/workload", []string{"traces", "traces/summary", toml}},

	{"internal/blockmodel", nil},
	{"internal/hist", nil},
	{"internal/lint", nil},
	{"internal/step", nil},
	{"internal/cacheline", nil},
	{"internal/wheel", nil},
	{"internal/profile", []string{anyOwn, toml}},
	{"internal/iofile", []string{anyOwn, parquet}},
	{"internal/...", []string{anyOwn, sys, directio, ebpf}},
	{"bench", []string{anyOwn}},
	{"bench/...", []string{anyOwn, sys}},

	{"cmd/...", []string{anyOwn, anyOutside, "cmd/..."}},
}
