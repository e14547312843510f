// Package purity holds the one test helper by which a pure package proves that it is pure: nothing in its dependency
// closure opens a socket, starts a process, writes a log or speaks Kubernetes. It knows package paths only and is
// imported by tests alone. The rule it enforces is written in docs/design.
package purity
