package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licenseFile matches the names under which modules keep their licence and what it asks to be passed on with it.
var licenseFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents)`)

// collectLicenses copies the licences of all modules that the Go program was linked with, and Go's own, below into: one
// folder for each module. A module without one is an error: it may not be passed on.
func collectLicenses(ctx context.Context, program, into string) error {
	build, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("modules of %s: %w", program, err)
	}
	modules := make([]string, 0, len(build.Deps))
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		modules = append(modules, m.Path+"@"+m.Version)
	}
	folders, err := download(ctx, modules)
	if err != nil {
		return err
	}
	goroot, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	folders["std"] = strings.TrimSpace(string(goroot))
	var problems []error
	for module, folder := range folders {
		problems = append(problems, copyLicenses(folder, filepath.Join(into, filepath.FromSlash(module))))
	}
	return errors.Join(problems...)
}

// download returns the folder in the module cache of each module, named PATH@VERSION, by its path.
func download(ctx context.Context, modules []string) (map[string]string, error) {
	out, err := output(ctx, "go", append([]string{"mod", "download", "-json"}, modules...)...)
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("go mod download: %w", err)
		}
		folders[m.Path] = m.Dir
	}
	if len(folders) != len(modules) {
		return nil, fmt.Errorf("go mod download: %d modules, want %d", len(folders), len(modules))
	}
	return folders, nil
}

func copyLicenses(folder, into string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenseFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(into, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, e.Name()), text, 0o644); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return fmt.Errorf("%s: no licence in it: look whether it may be passed on, and under which name its terms stand", folder)
	}
	return nil
}

// output runs a program and returns its standard output.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return out, nil
}
