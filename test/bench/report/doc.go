// Package report makes the page docs/performance.md and its plots from the results: medians with their extremes, ratios to
// Tugboot, what is noisy, what failed and why. It must not know how anything was measured, and it leaves no failure out. The
// plots are SVG 1.1 without scripts or fonts of their own.
package report
