package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tugboot/tugboot/internal/render"
)

// maxIncluded is the largest file, in bytes, that is looked into because the main configuration names it.
const maxIncluded = 1 << 20

// candidate is a folder that stands for the live one while the daemon's checker looks.
type candidate struct {
	live, folder string
	// copies are the files of the operator's that were looked into, by path: their copy's, or "" for one that needs none.
	copies map[string]string
	// order are the paths of those that have a copy.
	order []string
}

// ask has the daemon's checker look at live as if it stood in the folder.
func (d *Driver) ask(ctx context.Context, cluster string, live []render.File) (err error) {
	c, err := d.candidate(cluster)
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.RemoveAll(c.folder); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove the folder of the check: %w", gone))
		}
	}()
	if err := c.fill(live); err != nil {
		return fmt.Errorf("prepare the check of %s: %w", d.options.Folder, err)
	}
	main := ""
	if d.options.Main != "" {
		if main, err = c.main(d.options.Main); err != nil {
			return fmt.Errorf("prepare the check of %s: %w", d.options.Folder, err)
		}
	}
	argv := make([]string, len(d.options.Check))
	for i, arg := range d.options.Check {
		argv[i] = strings.ReplaceAll(arg, MainPlace, main)
	}
	if _, err := d.run(ctx, "check", argv); err != nil {
		var names []string
		for _, f := range live {
			names = append(names, filepath.Join(d.options.Folder, f.Name))
		}
		return fmt.Errorf("%s: the daemon's checker does not take what is to be written, and nothing was: %s: put right what it names, in the Hardware or in the main configuration",
			strings.Join(names, ", "), c.original(err.Error()))
	}
	return nil
}

// candidate makes the folder, and removes those that an earlier check of the cluster's left when it was killed. It lies
// inside of the live one: where the daemon may read, its checker may.
func (d *Driver) candidate(cluster string) (*candidate, error) {
	stem := ".check-" + cluster + "."
	old, err := filepath.Glob(filepath.Join(escape(d.options.Folder), stem+"*"))
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", d.options.Folder, err)
	}
	for _, left := range old {
		if err := os.RemoveAll(left); err != nil {
			return nil, fmt.Errorf("remove what an earlier check left: %w", err)
		}
	}
	folder, err := os.MkdirTemp(d.options.Folder, stem)
	if err != nil {
		return nil, fmt.Errorf("folder %s: the check needs a folder in it: %w: let this process write there", d.options.Folder, err)
	}
	return &candidate{live: d.options.Folder, folder: folder, copies: map[string]string{}}, nil
}

// escape takes from a path what filepath.Glob would read as a pattern.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// fill writes the files that are to be checked, and beside them those of others that stand in the live folder.
func (c *candidate) fill(live []render.File) error {
	entries, err := os.ReadDir(c.live)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		text, err := readAt(filepath.Join(c.live, entry.Name()), maxFile)
		if err != nil {
			continue // the checker tells when it is needed
		}
		if err := os.WriteFile(filepath.Join(c.folder, entry.Name()), []byte(movePath(text, c.live, c.folder)), 0o600); err != nil {
			return err
		}
	}
	for _, f := range live {
		if err := os.WriteFile(filepath.Join(c.folder, f.Name), []byte(f.Text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// main writes the copy of the main configuration and returns its path.
func (c *candidate) main(path string) (string, error) {
	text, err := readAt(path, maxFile)
	if err != nil {
		return "", fmt.Errorf("main configuration %s: %w: let this process read it, and give its path", path, err)
	}
	return c.copy(path, text, true)
}

// copy writes a copy of the operator's file that names the candidate wherever that names the live folder, and copies
// wherever it names files that do. It returns the copy's path, empty when that would be the same, unless always.
func (c *candidate) copy(path, text string, always bool) (string, error) {
	c.copies[path] = ""
	moved := movePath(text, c.live, c.folder)
	for _, named := range strings.FieldsFunc(moved, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"';=,{}()", r) }) {
		if !filepath.IsAbs(named) || strings.HasPrefix(named, c.folder+"/") {
			continue
		}
		copied, seen := c.copies[named]
		if !seen {
			included, err := readAt(named, maxIncluded)
			if err != nil {
				continue // a folder, a program, or nothing: the checker tells when it is needed
			}
			if copied, err = c.copy(named, included, false); err != nil {
				return "", err
			}
		}
		if copied != "" {
			moved = movePath(moved, named, copied)
		}
	}
	if moved == text && !always {
		return "", nil
	}
	to := filepath.Join(c.folder, fmt.Sprintf(".copy-%d.conf", len(c.order)))
	c.copies[path], c.order = to, append(c.order, path)
	return to, os.WriteFile(to, []byte(moved), 0o600)
}

// original turns the paths of the copies in what a checker said into those that an operator knows.
func (c *candidate) original(said string) string {
	for _, path := range c.order {
		said = strings.ReplaceAll(said, c.copies[path], path)
	}
	return strings.ReplaceAll(said, c.folder, c.live)
}

// movePath replaces the path old in text, where it is not a part of another name.
func movePath(text, old, to string) string {
	inName := func(b byte) bool {
		return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("._-+", b) >= 0 || b >= 0x80
	}
	var moved strings.Builder
	for at := 0; ; {
		i := strings.Index(text[at:], old)
		if i < 0 {
			moved.WriteString(text[at:])
			return moved.String()
		}
		begin, end := at+i, at+i+len(old)
		moved.WriteString(text[at:begin])
		if begin > 0 && (inName(text[begin-1]) || text[begin-1] == '/') || end < len(text) && inName(text[end]) {
			moved.WriteString(old)
		} else {
			moved.WriteString(to)
		}
		at = end
	}
}
