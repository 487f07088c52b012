package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOptionsAreListedAsTheCommandsTakeThem(t *testing.T) {
	code, out, errs := blksim("options", "--output_format=json")
	require.Zero(t, code, errs)
	var list struct {
		Schema   string
		Commands []commandOptions
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Equal(t, optionsSchema, list.Schema)
	byName := map[string]listedFlag{}
	for _, c := range list.Commands {
		for _, o := range c.Options {
			require.NotEmpty(t, o.Usage, "%s --%s", c.Command, o.Name)
			byName[c.Command+" --"+o.Name] = o
		}
	}
	require.Equal(t, listedFlag{Name: "seed", Group: "What to run on", Type: "uint", Default: "1", Usage: "seed of everything random"},
		byName["blksim replay --seed"])
	require.Equal(t, "trace|afap|closed", byName["blksim replay --timing"].Type)

	code, out, _ = blksim("options")
	require.Zero(t, code)
	require.Contains(t, out, "blksim replay\n  --device")
}

func TestAnUnknownOptionNamesTheNearest(t *testing.T) {
	for typed, says := range map[string]string{
		"--deadlin=3ms": "replay: no option --deadlin: did you mean --deadline?",
		"--io_dept=3":   "did you mean --iodepth?",
		"--frobnicate":  "replay: no option --frobnicate: see blksim help replay",
	} {
		code, _, errs := blksim("replay", typed, sample)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, says)
	}
	code, _, errs := blksim("replay", "--time_scale=0.5", "--queue_depth=4", file(t, "a.blk", tiny))
	require.Zero(t, code, errs)
}
