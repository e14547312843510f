package lint

import (
	"errors"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/dhcpconf"
)

var errNoReader = errors.New("included files are not read here")

// sources are the texts that were read, by the name under which their places are reported.
type sources struct {
	names  []string
	texts  map[string]string
	lines  map[string][]string
	reader dhcpconf.Reader
}

func newSources(name, text string, read dhcpconf.Reader) *sources {
	return &sources{names: []string{name}, texts: map[string]string{name: text}, lines: map[string][]string{}, reader: read}
}

// read is the caller's reader, and remembers what it gave.
func (s *sources) read(name string) (string, error) {
	if s.reader == nil {
		return "", errNoReader
	}
	text, err := s.reader(name)
	if _, known := s.texts[name]; err == nil && !known {
		s.names = append(s.names, name)
		s.texts[name] = text
	}
	return text, err
}

// line returns a line of a file, counted from 1; "" where there is none.
func (s *sources) line(file string, n int) string {
	lines, split := s.lines[file]
	if !split {
		lines = strings.Split(s.texts[file], "\n")
		s.lines[file] = lines
	}
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

// disabled reports whether a comment turns the finding off: on its line, or alone on the line above.
func (s *sources) disabled(f Finding) bool {
	if f.Pos.Line == 0 {
		return false
	}
	above := s.line(f.Pos.File, f.Pos.Line-1)
	if !strings.HasPrefix(above, "#") && !strings.HasPrefix(above, "//") && !strings.HasPrefix(above, "/*") {
		above = ""
	}
	return switchedOff(above, f.Rule) || switchedOff(s.line(f.Pos.File, f.Pos.Line), f.Rule)
}

func switchedOff(line, rule string) bool {
	_, list, found := strings.Cut(line, OffSwitch)
	if !found {
		return false
	}
	if end := strings.IndexAny(list, " \t*"); end >= 0 {
		list = list[:end]
	}
	return slices.Contains(strings.Split(list, ","), rule)
}
