package flash

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSLCCacheIsFastUntilItIsFullAndRecoversInIdleTime(t *testing.T) {
	cfg := full
	cfg.OverProvision, cfg.SLC, cfg.SLCProgramTime = 0, 8<<20, 50*time.Microsecond
	w, f := newFull(t, func(c *Config) { *c = cfg }) // the size matters here
	at := int64(0)
	units := func(mib int) time.Duration {
		return writeOnly(t, w, f, mib<<20/Unit, func() int64 { at++; return at % f.unitCount() })
	}
	fast := units(7)
	units(4)
	slow := units(7)
	require.Greater(t, slow, fast*3/2)
	require.NoError(t, w.RunUntil(w.Now().Add(10*time.Second)))
	require.InEpsilon(t, fast, units(7), 0.05)
	require.Greater(t, units(7), fast, "it was full again after the first 8 MiB")
}
