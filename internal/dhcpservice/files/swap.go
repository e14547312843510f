package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tugboot/tugboot/internal/render"
)

// Swap replaces each file in folder, in their order, and flushes each to the disk; mode is that of the files. The error
// names the file that could not be replaced: those after it are as they were.
func Swap(folder string, mode os.FileMode, live []render.File) error {
	for _, f := range live {
		if f.Name == "" || f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." || f.Name == "/" {
			return fmt.Errorf("folder %s: %+.80q is not a plain file name", folder, f.Name)
		}
	}
	for _, f := range live {
		if err := replace(folder, mode, f); err != nil {
			return fmt.Errorf("replace %s: %w: make room in its folder, or let this process write there", filepath.Join(folder, f.Name), err)
		}
	}
	return nil
}

// replace writes a file beside the one that stands there, and renames it over that.
func replace(folder string, mode os.FileMode, f render.File) error {
	beside, err := os.CreateTemp(folder, "."+f.Name+".*")
	if err != nil {
		return err
	}
	_, err = beside.WriteString(f.Text)
	err = errors.Join(err, beside.Chmod(mode), beside.Sync(), beside.Close())
	if err == nil {
		err = os.Rename(beside.Name(), filepath.Join(folder, f.Name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside.Name()))
	}
	return flush(folder)
}

// flush makes the names in folder outlast a loss of power.
func flush(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
