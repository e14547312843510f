// Package bind turns a failure to take a port into a sentence that names the port, the program that holds it where the
// kernel lets us see it, and what to do. It knows Linux's /proc and error numbers, not what is served on the port.
package bind
