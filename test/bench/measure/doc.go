// Package measure holds what figures are made of: a histogram of latencies, and the median of rounds with its spread. It
// must not know what was measured or how it is shown. Quantiles are those of the nearest rank; a bucket is 1/64 wide, so
// that a quantile is right within 1.6 %.
package measure
