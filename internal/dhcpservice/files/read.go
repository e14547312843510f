package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is the largest live file that is read, in bytes.
const maxFile = 64 << 20

// read returns the texts of those of the named files in folder that are there.
func read(folder string, names []string) (texts map[string]string, err error) {
	root, err := os.OpenRoot(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("folder %s: it is not there: create it, writable for this process and readable for the daemon", folder)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("folder %s: this process may not look into it: give its account read and write permission", folder)
	case err != nil:
		return nil, fmt.Errorf("folder %s: %w: give the folder of the live files", folder, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	texts = map[string]string{}
	for _, name := range names {
		text, err := readIn(root, name, maxFile)
		switch {
		case errors.Is(err, errAbsent):
		case err != nil:
			return nil, fmt.Errorf("file %s: %w", filepath.Join(folder, name), err)
		default:
			texts[name] = text
		}
	}
	return texts, nil
}

// errAbsent is the error of readIn for a name that does not stand in the folder.
var errAbsent = errors.New("it is not there")

// readIn reads a plain file of at most limit bytes below root. A link is followed when it stays below it.
func readIn(root *os.Root, name string, limit int64) (string, error) {
	link, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errAbsent
	}
	if err != nil {
		return "", err
	}
	info, err := root.Stat(name)
	switch {
	case err != nil && link.Mode()&fs.ModeSymlink != 0:
		return "", fmt.Errorf("a link that leads out of the folder or nowhere (%w): put the file itself there, or remove the link", err)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("not a plain file: remove what stands there")
	}
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%w: let this process's account read it", err)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(text)) > limit:
		return "", fmt.Errorf("larger than %d bytes, which nothing of ours is: remove it, and it is written again", limit)
	}
	return string(text), nil
}

// readAt reads a plain file of the operator's, wherever a link leads.
func readAt(path string, limit int64) (text string, err error) {
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return readIn(root, filepath.Base(path), limit)
}
