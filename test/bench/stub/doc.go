// Package stub compiles the C program that stands for the physical limit: answers without thought, with the system calls
// that the fastest server could make. It must not know how its speed is measured. The program is source/stub.c, and the
// compiler that of the host.
package stub
