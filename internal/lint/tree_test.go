package lint

import (
	"os"
	"testing"
)

// TestTreeKeepsTheRules is the lint run: go test ./internal/lint.
func TestTreeKeepsTheRules(t *testing.T) {
	found, err := Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}
