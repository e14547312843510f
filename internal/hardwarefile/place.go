package hardwarefile

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tugboot/tugboot/internal/reservation"
)

// placed makes a problem of a file, at a line that counts from 1, or with 0 of the file as a whole.
func placed(name string, line int, reason, field, remedy string) reservation.Problem {
	return reservation.Problem{
		Source: reservation.Source{Name: at(name, line)}, Reason: reason, Field: field, Remedy: remedy, Fatal: true,
	}
}

func at(name string, line int) string {
	if line == 0 {
		return shown(name)
	}
	return shown(name) + ":" + strconv.Itoa(line)
}

// objectAt names an object in a file: by its own name, or by its line when that is no name of an object and could not be
// printed safely.
func objectAt(name, object string, line int) string {
	if len(validation.IsDNS1123Subdomain(object)) > 0 {
		return at(name, line)
	}
	return shown(name) + ":" + object
}

// shown is a file name as messages have it: as it is, or quoted where it could not be printed.
func shown(name string) string {
	if quoted := fmt.Sprintf("%q", name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// comparePlaces orders names of the form file:line by file and then by number.
func comparePlaces(a, b string) int {
	fileA, lineA := splitPlace(a)
	fileB, lineB := splitPlace(b)
	return cmp.Or(strings.Compare(fileA, fileB), cmp.Compare(lineA, lineB), strings.Compare(a, b))
}

func splitPlace(place string) (file string, line int) {
	i := strings.LastIndexByte(place, ':')
	if i < 0 {
		return place, 0
	}
	line, err := strconv.Atoi(place[i+1:])
	if err != nil {
		return place[:i], 0
	}
	return place[:i], line
}
