package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// writeCommands leaves small programs in the session's folder by which a person gets into the site.
func (h *session) writeCommands() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("path of this program: %w", err)
	}
	root, err := filepath.Abs(h.root)
	if err != nil {
		return fmt.Errorf("folder %s: %w", h.root, err)
	}
	site := h.serving()
	enter := []string{"nsenter", "--net=" + site.API.Path(), "--"}
	for name, args := range map[string][]string{
		"kubectl":  append(enter, site.API.KubectlArgs()...),
		"boot":     {self, "boot", "--root", root},
		"timeline": append(enter, filepath.Join(root, "bin", "tugboot"), "timeline", "--server="+site.Tugboot.OperationsURL()),
	} {
		text := "#!/bin/sh\nexec " + quote(args) + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o755); err != nil {
			return fmt.Errorf("command %s: %w", name, err)
		}
	}
	return nil
}

// removeCommands takes them away: without the site they lead nowhere.
func (h *session) removeCommands() error {
	var problems []error
	for _, name := range []string{"kubectl", "boot", "timeline", socketName} {
		if err := os.Remove(filepath.Join(h.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// quote writes arguments so that a shell reads them as they are.
func quote(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}
