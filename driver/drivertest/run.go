package drivertest

import "testing"

// Run checks a driver in a test: everything, on 200 seeds, or on 20 with -short.
// Each rule is a subtest of its own; those that the driver does not claim, or
// that cannot be judged until another is mended, are skipped with that word.
func Run(t *testing.T, open Open) {
	t.Helper()
	RunWith(t, open, Options{})
}

// RunWith is Run with options. With -short it takes a tenth of the seeds.
func RunWith(t *testing.T, open Open, o Options) {
	t.Helper()
	if testing.Short() {
		o.Seeds = (o.withDefaults().Seeds + 9) / 10
	}
	rep, err := Examine(open, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rep {
		t.Run(r.ID, func(t *testing.T) {
			switch r.Verdict {
			case Fail:
				t.Error(&Failure{r})
			case NotClaimed, NotJudged:
				t.Skip(r.Verdict)
			}
		})
	}
}
