// Package bind tries ports, and turns a failure to take one into a sentence that names the port, the program that holds it
// where the kernel lets us see it, and what to do. It knows Linux's /proc, socket options and error numbers, as socket(7) and
// proc(5) have them; it must not know what is served on the port.
package bind
