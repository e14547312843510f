package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/tugboot/tugboot/internal/capability"
)

// program is the path of Tugboot in the image, without the leading slash, as layers name it.
const program = "tugboot"

// capabilityRecord is the PAX record that carries a file's capabilities; runtimes make the extended attribute of it.
const capabilityRecord = "SCHILY.xattr.security.capability"

// fileCapabilities is the extended attribute security.capability (struct vfs_cap_data of linux/capability.h, revision 2)
// that permits what serving needs. The bit that makes them effective at once stays off: with it the program could not
// start where one of them is not granted.
func fileCapabilities(permitted []libcap.Value) string {
	const revision2 = 0x02000000
	var words [2]uint32
	for _, v := range permitted {
		words[v/32] |= 1 << (v % 32)
	}
	var b []byte
	for _, word := range []uint32{revision2, words[0], 0, words[1], 0} { // each permitted word is followed by an inheritable one
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return string(b)
}

// tarOf returns the folder root as a tar, the same for the same content: sorted, owned by root, all of one time, and
// only program may be executed.
func tarOf(root string, modified time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		h, err := header(path, name, entry)
		if err != nil {
			return err
		}
		h.ModTime = modified
		return addEntry(w, h, path)
	})
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("tar of %s: %w", root, err)
	}
	return b.Bytes(), nil
}

func header(path, name string, entry fs.DirEntry) (*tar.Header, error) {
	h := &tar.Header{Name: name, Format: tar.FormatPAX}
	switch entry.Type() {
	case fs.ModeDir:
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, name+"/", 0o755
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		if err != nil {
			return nil, err
		}
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, target, 0o777
	case 0:
		stat, err := entry.Info()
		if err != nil {
			return nil, err
		}
		h.Typeflag, h.Size, h.Mode = tar.TypeReg, stat.Size(), 0o644
		if name == program {
			h.Mode = 0o755
			h.PAXRecords = map[string]string{capabilityRecord: fileCapabilities(capability.Serving())}
		}
	default:
		return nil, fmt.Errorf("%s is a %s: an image holds files, folders and symbolic links only", path, entry.Type())
	}
	return h, nil
}

func addEntry(w *tar.Writer, h *tar.Header, path string) error {
	if err := w.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
