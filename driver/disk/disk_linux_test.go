package disk

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/blk"
)

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, o Options) {
		path := tempFile(t, 1<<20)
		r := newRig(t, path, o, blk.Options{})
		kind, why := r.drv.Engine()
		require.Equal(t, o.Engine.Kind, kind)
		t.Log(why, r.drv.Info())
		data := r.drv.Alloc(64 << 10)
		for i := range data {
			data[i] = byte(i * 7)
		}
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpWrite, Off: 128 << 10, Buf: data}).Status)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpFlush}).Status)
		back := r.drv.Alloc(64 << 10)
		require.Equal(t, aio.OK, r.one(aio.IO{Op: aio.OpRead, Off: 128 << 10, Buf: back}).Status)
		require.True(t, bytes.Equal(data, back))
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, whole[128<<10:192<<10]), "as another reader has it")
	})
}
