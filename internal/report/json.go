package report

import (
	"encoding/json"
	"io"
)

// Several is the JSON form of more than one run.
type Several struct {
	Schema string `json:"schema"`
	Runs   []*Run `json:"runs"`
}

// SeveralSchema names the form of Several.
const SeveralSchema = "blksim.runs/v1"

// WriteJSON writes one run as an object of Schema, or several as one of
// SeveralSchema, with a line end at the end.
func WriteJSON(w io.Writer, runs []*Run) error {
	var v any = Several{SeveralSchema, runs}
	if len(runs) == 1 {
		v = runs[0]
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
