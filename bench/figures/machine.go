package figures

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// About tells where and of what figures are.
type About struct {
	Date    string `json:"date"`
	Commit  string `json:"commit"` // with "+" if the tree had changes
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	System  string `json:"system"`
	Go      string `json:"go"`
	Loading string `json:"load,omitempty"` // the load average before the run
}

func (a About) String() string {
	s := fmt.Sprintf("%s, commit %s, %s, %d cores, %s, %s", a.Date, a.Commit, a.CPU, a.Cores, a.System, a.Go)
	if a.Loading != "" {
		s += ", load average " + a.Loading
	}
	return s
}

func describeMachine(root string) About {
	return About{
		Date: time.Now().UTC().Format("2006-01-02"), Commit: commit(root), CPU: cpuModel(), Cores: runtime.NumCPU(),
		System: system(), Go: runtime.Version(), Loading: loadAverage(),
	}
}

// commit asks git, without letting it write its index.
func commit(root string) string {
	git := func(args ...string) (string, error) {
		c := exec.Command("git", append([]string{"--no-optional-locks", "-C", root}, args...)...)
		out, err := c.Output()
		return strings.TrimSpace(string(out)), err
	}
	id, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changes, err := git("status", "--porcelain"); err != nil || changes != "" {
		id += "+"
	}
	return id
}
