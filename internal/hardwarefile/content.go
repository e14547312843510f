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

// reading is what has been read of one file.
type reading struct {
	name    string
	pool    *reservation.Pool
	ages    *ages
	marks   marks
	content content
	// failure is what makes the file as a whole wrong.
	failure []reservation.Problem
}

// parse reads the text of a file by the kind that its name says.
func (r *reading) parse(text []byte) {
	switch filepath.Ext(r.name) {
	case ".csv":
		r.csv(text)
	case ".json":
		r.objects(text, jsonDocuments)
	default:
		r.objects(text, yamlDocuments)
	}
}

func (r *reading) csv(text []byte) {
	var lines []int32 // of each reservation
	file := shown(r.name) + ":"
	var mark int64 // of the row that is read
	note := func(line int) {
		for len(lines) < len(r.content.reservations) {
			lines = append(lines, int32(line))
		}
	}
	problems, _ := hardwarecsv.Reread(text, hardwarecsv.Options{}, func(row hardwarecsv.Row) {
		row.BMC, row.Labels = nil, nil // nothing that serves needs them
		r.add(file+row.Hostname, row.Objects(hardwarecsv.DefaultNamespace).Hardware, mark)
		note(row.Line)
	}, func(row hardwarecsv.Known) bool {
		mark = r.marks.of(row)
		old, same := r.ages.again(row.MAC, mark)
		if same {
			r.content.reservations = append(r.content.reservations, old)
			note(row.Line)
		}
		return same
	})
	if len(problems) == 0 {
		return
	}
	refused := map[int32]bool{}
	for _, p := range problems {
		r.failure = append(r.failure, placed(r.name, p.Line, ReasonFileInvalid, p.Column, p.Text))
		refused[int32(p.Line)] = true
	}
	all := r.content.reservations
	r.content.reservations = nil
	for i, one := range all {
		if !refused[lines[i]] {
			r.content.reservations = append(r.content.reservations, one)
		}
	}
}

// add converts a Hardware. What is said of it names the place in the file instead of the object. The mark, if it is not 0,
// is that of the text that all of the Hardware stands in.
func (r *reading) add(place string, hw *v1alpha1.Hardware, mark int64) {
	reservations, problems := tink.Convert(hw)
	if len(problems) > 0 {
		mark = 0 // they have to be found again
	}
	for _, one := range reservations {
		one.Source = reservation.Source{Name: place, Interface: one.Source.Interface, Generation: mark}
		r.pool.Share(one)
		r.content.reservations = append(r.content.reservations, r.ages.next(one))
	}
	for i := range problems {
		problems[i].Source = reservation.Source{Name: place, Interface: problems[i].Source.Interface}
	}
	r.content.problems = append(r.content.problems, problems...)
}
