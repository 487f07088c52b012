//go:build interleave

package explore

import "math/rand/v2"

// Estimate guesses how many schedules s has without reduction, from walks random
// ones: the mean of the product of the number of choices at each step (Knuth).
// It is exact in the mean and coarse in practice: an order of magnitude to show
// what the reduction saves. It is the same each time.
func Estimate(s Scenario, walks int) (float64, error) {
	exploring.Lock()
	defer exploring.Unlock()
	r := rand.New(rand.NewPCG(1, 2))
	sum := 0.0
	for range walks {
		w := walk{rand: r, product: 1}
		if _, err := (&Trial{failingCAS: true}).run(s, &w, defaultMaxSteps); err != nil {
			return 0, err
		}
		sum += w.product
	}
	return sum / float64(walks), nil
}

// walk chooses at random.
type walk struct {
	rand    *rand.Rand
	product float64
}

func (*walk) ended(*steps) {}

func (w *walk) choose(_ int, _ *steps, enabled actorSet) (int, bool, error) {
	var who [MaxActors]int
	n := 0
	for i := range MaxActors {
		if enabled.has(i) {
			who[n] = i
			n++
		}
	}
	w.product *= float64(n)
	return who[w.rand.IntN(n)], true, nil
}
