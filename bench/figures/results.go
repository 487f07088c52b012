package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeResults replaces the file in one step.
func writeResults(path string, got []Result) error {
	if got == nil {
		got = []Result{}
	}
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(b, '\n'))
}

func readResults(path string) (got []Result, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; run the benchmark first", err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return got, nil
}

// replaceFile leaves the old content if anything fails. What is no regular file, as
// /dev/null, is written to and stays what it is.
func replaceFile(path string, data []byte) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return os.WriteFile(path, data, 0)
	}
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return err
	}
	return nil
}
