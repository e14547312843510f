// Command allocs holds the benchmarks of the packets' path to the number of allocations that is written down for them. It
// knows how `go test -bench` words its results, and must not judge times, which no two machines have in common. It follows
// the way of a golden file: `make allocs UPDATE=1` writes hack/allocs/allocs.txt anew, and a person reads the difference.
package main
