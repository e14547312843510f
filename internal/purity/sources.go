package purity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sources reads the Go files of the current folder that are not tests.
func sources(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	if len(texts) == 0 {
		t.Fatal("no Go files here: purity.Check belongs into the package it checks")
	}
	return texts
}
