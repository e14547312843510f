package measure

import "slices"

// Noisy is the spread over which a figure is marked as noisy.
const Noisy = 0.20

// Summary is what the rounds of one figure come to.
type Summary struct {
	Median, Min, Max float64
	Rounds           int
}

// Summarize returns the summary of a figure's rounds; the zero value when there are none.
func Summarize(rounds []float64) Summary {
	if len(rounds) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(rounds))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return Summary{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1], Rounds: len(sorted)}
}

// Spread is how far the rounds lie apart, as a share of the median; 0 when the median is.
func (s Summary) Spread() float64 {
	if s.Median == 0 {
		return 0
	}
	return (s.Max - s.Min) / s.Median
}

// Noisy is true when the rounds lie so far apart that the median proves little.
func (s Summary) Noisy() bool { return s.Spread() > Noisy }
