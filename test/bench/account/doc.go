// Package account says what a group of processes costs: CPU time and resident memory, and how much of the machine others
// took meanwhile. It must not know what the processes are for. It follows cgroups(7), version 1 with the controller
// cpuacct or version 2, and proc(5).
package account
