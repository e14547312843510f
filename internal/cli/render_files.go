package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// textFor is what is rendered in the place of a file.
func textFor(name string, out render.Output) string {
	for _, file := range append(out.Live[:len(out.Live):len(out.Live)], out.Operator) {
		if file.Name != "" && file.Name == filepath.Base(name) {
			return file.Text
		}
	}
	return out.Whole
}

// writeSplit writes the operator's file and the live files into a folder, each whole or not at all. A live file that was not
// written by Tugboot is never replaced, and then nothing is written. The operator's file is the operator's once it is there:
// kept is its path when it differs from what is rendered and was left as it is.
func writeSplit(folder string, out render.Output) (kept string, err error) {
	files := slices.Clone(out.Live)
	for _, file := range out.Live {
		path := filepath.Join(folder, file.Name)
		_, ours, err := standing(path)
		if err != nil {
			return "", fmt.Errorf("--split: %w: nothing was written", err)
		}
		if !ours {
			return "", fmt.Errorf("--split: %q: was not written by Tugboot, and nothing was written: move it away, or name another folder", path)
		}
	}
	if out.Operator.Name != "" {
		path := filepath.Join(folder, out.Operator.Name)
		have, ours, err := standing(path)
		switch {
		case err != nil:
			return "", fmt.Errorf("--split: %w: nothing was written", err)
		case ours:
			files = append(files, out.Operator)
		case have != out.Operator.Text:
			kept = path
		}
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("--split: %w: name a folder that can be made", err)
	}
	for _, file := range files {
		if err := replaceFile(filepath.Join(folder, file.Name), file.Text); err != nil {
			return "", fmt.Errorf("--split: %w: files before this one were written", err)
		}
	}
	return kept, nil
}

// standing reads a file that may be replaced when it is ours: it is not there, empty, or carries a mark.
func standing(path string) (text string, ours bool, err error) {
	have, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", true, nil
	}
	return string(have), len(have) == 0 || strings.Contains(string(have), render.MarkPrefix), err
}

// replaceFile puts a complete file in the place of another: after a crash there is the one or the other. The daemon, which
// runs under an account of its own, may read it.
func replaceFile(path, text string) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
