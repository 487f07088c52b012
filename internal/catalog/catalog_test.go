package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver/drivertest"
	"blksim/internal/catalog"
)

// TestEveryBuiltInDriverKeepsTheContract on fewer seeds than check-driver takes.
func TestEveryBuiltInDriverKeepsTheContract(t *testing.T) {
	for _, d := range catalog.Drivers() {
		t.Run(strings.ReplaceAll(d.Name, ",", " "), func(t *testing.T) {
			o := d.Check
			o.Seeds = 30
			drivertest.RunWith(t, d.Open, o)
		})
	}
}

func TestAnUnknownDriverIsRefusedWithTheNearest(t *testing.T) {
	_, err := catalog.Find("nvmee")
	require.EqualError(t, err, `no driver "nvmee": did you mean "nvme"?`)
	_, err = catalog.Find("floppy-disk")
	require.ErrorContains(t, err, "want one of null ram")
	d, err := catalog.Find("nvme,callback=off")
	require.NoError(t, err)
	require.Equal(t, "nvme,callback=off", d.Name)
}
