// Package takeover decides when machines are no longer sent to the bootstrap cluster's stack but to the management
// cluster's. It knows what was observed, with the time as an argument, and judges it by an ordered list of gates; it must
// not know where an observation comes from, who carries a step out, or what the time is. It follows the order of events
// of `eksctl anywhere create cluster` and of `clusterctl move`; docs/takeover.md tells the whole story, and
// testdata/stories plays it.
package takeover
