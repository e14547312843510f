// Package hardwarefile serves hosts that have no cluster: it reads Hardware from a hardware.csv, a YAML or JSON file or a
// folder of these, publishes their reservations as one snapshot after the other, and follows every change of the files. It
// knows files and how they are replaced, and must not know what is wrong with a Hardware (package tink does) or who asks for
// a reservation. It follows inotify(7) and the way in which Kubernetes mounts ConfigMaps; what does not parse changes nothing
// that works.
package hardwarefile
