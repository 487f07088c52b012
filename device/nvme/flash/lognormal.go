package flash

import "math/bits"

// quantiles are the standard normal distribution's, in 2^-24: entry i is the value
// that a draw exceeds with probability t. t is 1/2 at entry 0 and halves with each
// octave of eight entries, between which it falls evenly: the tail is as finely
// cut as the middle. Written down and not computed, since the machines' floating
// point may differ in the last bit.
var quantiles = [octaves*cells + 1]int64{
	0, 1315542, 2639235, 3979591, 5345881, 6748636, 8200307, 9716225, 11316060, 12155334,
	13026196, 13933660, 14883849, 15884362, 16944823, 18077711, 19299660, 19950867, 20633606, 21352340,
	22112554, 22921097, 23786689, 24720684, 25738272, 26284673, 26860468, 27469762, 28117603, 28810307,
	29555925, 30364953, 31251455, 31729561, 32234917, 32771334, 33343507, 33957314, 34620253, 35342113,
	36136021, 36565415, 37020189, 37503910, 38020977, 38576898, 39178709, 39835600, 40559910, 40952447,
	41368771, 41812244, 42287010, 42798267, 43352655, 43958853, 44628526, 44991991, 45377884, 45789391,
	46230439, 46705955, 47222240, 47787535, 48412920, 48752733, 49113807, 49499171, 49912565, 50358684,
	50843531, 51374963, 51963552, 52283659, 52624012, 52987504, 53377713, 53799124, 54257483, 54760309,
	55317725, 55621099, 55943828, 56288687, 56659106, 57059391, 57495053, 57973314, 58503899, 58792843,
	59100355, 59429102, 59782384, 60164343, 60580286, 61037167, 61544353, 61820694, 62114899, 62429541,
	62767801, 63133676, 63532288, 63970348, 64456901, 64722115, 65004560, 65306723, 65631680, 65983296,
	66366523, 66787855, 67256044, 67511342, 67783299, 68074325, 68387397, 68726261, 69095715, 69502055,
	69953765, 70200157, 70462688, 70743694, 71046068, 71373442, 71730476, 72123282, 72560101, 72798437,
	73052437, 73324370, 73617048, 73934002, 74279762, 74660273, 75083552, 75314558, 75560789, 75824457,
	76108295, 76415744, 76751214, 77120493, 77531391, 77755690, 77994811, 78250908, 78526647, 78825380,
	79151408, 79510375, 79909897, 80128030, 80360611, 80609742, 80878024, 81168729, 81486054, 81835511,
	82224535,
}

const (
	octaves = 20
	cells   = 8
	z99     = 39029641 // the 99th percentile, 2^-24

	one     = 1 << oneBits // the factor 1 of a table
	oneBits = 20
)

// lognormal is a table of the factors by which a time varies, in 2^-20: the lower
// half's quantiles, the median, the upper half's.
type lognormal [2*octaves*cells + 1]int64

const middle = octaves * cells

// newLognormal makes the table of exp(sigma z), sigma in millionths.
func newLognormal(sigma int) *lognormal {
	var l lognormal
	for i, z := range quantiles {
		l[middle+i] = exp(z * int64(sigma) * 256 / 1e6)
		l[middle-i] = exp(-z * int64(sigma) * 256 / 1e6)
	}
	return &l
}

// mean is that of what draw gives, exactly: cells of octave k have the probability
// 2^-(k+5) each, and the ends 2^-21.
func (l *lognormal) mean() int64 {
	sum := int64(0) // of 2^25 parts
	for i := range octaves * cells {
		part := int64(1) << (octaves - 1 - i/cells)
		sum += part * (l[middle+i] + l[middle+i+1] + l[middle-i] + l[middle-i-1])
	}
	sum += 2 * cells * (l[0] + l[2*middle])
	return (sum + 1<<24) >> 25
}

// scale makes the mean 1.
func (l *lognormal) scale() {
	m := l.mean()
	for i := range l {
		l[i] = (l[i]<<oneBits + m/2) / m
	}
}

// draw is a factor, of 64 random bits. The first one chooses the half; how many
// zeros follow is the octave (each half as likely as the one before), then three
// bits are the cell and sixteen the place in it. The one draw in a million whose
// octave is beyond the table is its end.
func (l *lognormal) draw(x uint64) int64 {
	u := x << 1
	octave := bits.LeadingZeros64(u)
	i, j, part := middle, middle, int64(0)
	if octave < octaves {
		u <<= octave + 1
		i = (octave+1)*cells - int(u>>61) // the cell is from i-1, excluded, to i
		j = i - 1
		part = int64(u >> 45 & 0xffff)
	}
	if x>>63 == 0 {
		i, j = -i, -j
	}
	at := l[middle+i]
	return at + (l[middle+j]-at)*part>>16
}

// exp is e to the x, x in 2^-32 and between -6 and 6, in 2^-20: by 2^k exp(r) with
// r below ln 2, and Taylor's series for it.
func exp(x int64) int64 {
	const ln2 = 2977044472 // 2^-32
	k := x / ln2
	if x%ln2 < 0 {
		k--
	}
	r := uint64(x - k*ln2)
	sum, term := uint64(1)<<32, uint64(1)<<32
	for n := uint64(1); n <= 12; n++ {
		term = term * r >> 32 / n
		sum += term
	}
	return int64(sum >> (32 - oneBits - k))
}
