package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Sample is what one round of one case brought.
type Sample struct {
	Suite string `json:"suite"`
	Case  string `json:"case"`
	Round int    `json:"round"`
	// Values are the figures by their name; the name says the unit.
	Values map[string]float64 `json:"values,omitempty"`
	// Failed says why there are none; Lacks says it where the contender does not claim to do what the case asks for.
	Failed string `json:"failed,omitempty"`
	Lacks  string `json:"lacks,omitempty"`
	// Foreign is the share of all CPUs (0 to 1) that neither server nor generator used.
	Foreign float64 `json:"foreign"`
}

// Contender is all that was measured of one contender.
type Contender struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Turns are the turns that are over, by name.
	Turns   []string `json:"turns"`
	Samples []Sample `json:"samples"`
}

// Run is what all results of one run share.
type Run struct {
	// Begun is the day on which the run began, as 2006-01-02.
	Begun string `json:"begun"`
	// Settings are those of the run, and the checksum of the program; results of other settings are not mixed with these.
	Settings map[string]string `json:"settings"`
	// Machine describes the host, one line each.
	Machine []string `json:"machine"`
	// Untaken are the turns for which there was no time.
	Untaken []string `json:"untaken,omitempty"`
}

// Store is a folder with results.
type Store struct{ folder string }

const runFile = "run.json"

// Open opens the folder for a run. What is there of a run with other settings is removed, and fresh says so.
func Open(folder string, run Run) (s Store, fresh bool, err error) {
	s = Store{folder}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return s, false, err
	}
	var before Run
	err = s.read(runFile, &before)
	switch {
	case err == nil && reflect.DeepEqual(before.Settings, run.Settings):
		return s, false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return s, false, fmt.Errorf("%w: remove %s to begin anew", err, folder)
	}
	old, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return s, false, err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return s, false, err
		}
	}
	return s, true, s.write(runFile, run)
}

// Untaken notes the turns for which there was no time.
func (s Store) Untaken(turns []string) error {
	var run Run
	if err := s.read(runFile, &run); err != nil {
		return err
	}
	run.Untaken = turns
	return s.write(runFile, run)
}

// Read returns everything in a folder, the contenders sorted by name.
func Read(folder string) (Run, []Contender, error) {
	s := Store{folder}
	var run Run
	if err := s.read(runFile, &run); err != nil {
		return run, nil, fmt.Errorf("no results: %w: run make bench first", err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return run, nil, err
	}
	var all []Contender
	for _, file := range files {
		name := filepath.Base(file)
		if name == runFile {
			continue
		}
		var c Contender
		if err := s.read(name, &c); err != nil {
			return run, nil, err
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Contender) int { return strings.Compare(a.Name, b.Name) })
	return run, all, nil
}

// Contender returns what is there of a contender; nothing but its name when nothing is.
func (s Store) Contender(name string) (Contender, error) {
	c := Contender{Name: name}
	err := s.read(name+".json", &c)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c, err
}

// Had is true when the turn is over.
func (c Contender) Had(turn string) bool { return slices.Contains(c.Turns, turn) }

// Failure returns why a case failed in an earlier round; empty when it did not.
func (c Contender) Failure(suite, name string) string {
	for _, s := range c.Samples {
		if s.Suite == suite && s.Case == name && s.Failed != "" {
			return s.Failed
		}
	}
	return ""
}

// Save keeps a contender's results.
func (s Store) Save(c Contender) error { return s.write(c.Name+".json", c) }

func (s Store) read(name string, into any) error {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(s.folder, name), err)
	}
	return nil
}

// write replaces a file in one step.
func (s Store) write(name string, value any) error {
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
