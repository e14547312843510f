package render

import "github.com/tugboot/tugboot/internal/reservation"

// Output is what a renderer makes of a Wanted.
type Output struct {
	// Whole is one complete configuration that the daemon's own checker accepts, for a service that says nothing else.
	Whole string
	// Operator is what the operator puts into the service's own configuration once.
	Operator File
	// Live are the files that are written again with each change, in the order in which they must be in place.
	Live []File
	// Problems are the settings that the service cannot express.
	Problems []reservation.Problem
}

// File is one file of a service. Name is a plain file name.
type File struct{ Name, Text string }
