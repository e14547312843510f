package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tugboot/tugboot/internal/render"
)

func TestSwapReplacesAndLeavesNothingBeside(t *testing.T) {
	folder := t.TempDir()
	for _, text := range []string{"old\n", "new\n"} {
		if err := Swap(folder, 0o644, []render.File{{Name: "a", Text: text}, {Name: "b", Text: text}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != text {
				t.Errorf("%s: %q, %v; want %q", name, got, err, text)
			}
		}
	}
	if all, err := os.ReadDir(folder); err != nil || len(all) != 2 {
		t.Errorf("folder holds %v, %v; want two files", all, err)
	}
}

func TestSwapRefusesNamesOutsideTheFolder(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"", ".", "..", "/", "../a", "a/b", "/etc/a"} {
		if err := Swap(folder, 0o644, []render.File{{Name: "first"}, {Name: name}}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if all, err := os.ReadDir(folder); err != nil || len(all) != 0 {
		t.Errorf("folder holds %v, %v; want nothing", all, err)
	}
}

func TestSwapNamesTheFileItCannotReplace(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "b", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := Swap(folder, 0o644, []render.File{{Name: "b", Text: "x"}, {Name: "c", Text: "x"}})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "b")) {
		t.Errorf("error %v; want one that names b", err)
	}
	if all, err := os.ReadDir(folder); err != nil || len(all) != 1 {
		t.Errorf("folder holds %v, %v; want b only", all, err)
	}
}
