// Package journal remembers what happened to each machine: the last answers, transfers and messages, bounded in number
// and kept in memory only. It knows MACs and the words it is told, not who asks or how they are shown. It follows no
// RFC; it is the memory behind the boot timeline.
package journal
