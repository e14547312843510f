package hardwarefile

import (
	"path/filepath"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/hardwarecsv"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/tink"
)

// content is what a file holds for us: the reservations in the order of the file, and what is wrong with the machines in it.
type content struct {
	reservations []*reservation.Reservation
	problems     []reservation.Problem
}

// parse reads the text of a file by the kind that its name says. failure is what makes the file as a whole wrong.
func parse(name string, text []byte) (c content, failure []reservation.Problem) {
	switch filepath.Ext(name) {
	case ".csv":
		return parseCSV(name, text)
	case ".json":
		return parseObjects(name, text, jsonDocuments)
	}
	return parseObjects(name, text, yamlDocuments)
}

func parseCSV(name string, text []byte) (c content, failure []reservation.Problem) {
	result := hardwarecsv.Parse(text, hardwarecsv.Options{})
	for _, p := range result.Problems {
		failure = append(failure, placed(name, p.Line, ReasonFileInvalid, p.Column, p.Text))
	}
	for _, row := range result.Rows {
		// The row's BMC is left behind here: nothing that serves needs it.
		c.add(objectAt(name, row.Hostname, row.Line), row.Objects(hardwarecsv.DefaultNamespace).Hardware)
	}
	return c, failure
}

// add converts a Hardware. What is said of it names the place in the file instead of the object.
func (c *content) add(place string, hw *v1alpha1.Hardware) {
	reservations, problems := tink.Convert(hw)
	for _, r := range reservations {
		r.Source = reservation.Source{Name: place, Interface: r.Source.Interface}
	}
	for i := range problems {
		problems[i].Source = reservation.Source{Name: place, Interface: problems[i].Source.Interface}
	}
	c.reservations = append(c.reservations, reservations...)
	c.problems = append(c.problems, problems...)
}
