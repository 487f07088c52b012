package example

import (
	"embed"
	"io/fs"
)

//go:embed disk.go cancel.go
var source embed.FS

// Source is the text of the driver: disk.go and cancel.go.
func Source() fs.FS { return source }
