package ipxe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Images is a folder with the kernels and initrds of an operating system installation environment, such as HookOS. Its files
// are read each time they are asked for, so that one put there by renaming is served from then on.
type Images struct {
	directory string
	root      *os.Root
}

// kernelPrefix begins the name of a kernel; its architecture, as iPXE's ${arch} says it, follows.
const kernelPrefix = "vmlinuz-"

// maxName is the longest name of a file that Linux' file systems have, in bytes.
const maxName = 255

// OpenImages opens a folder that holds at least one kernel, vmlinuz-ARCH. Symbolic links may lead to files within it only.
func OpenImages(directory string) (*Images, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, fmt.Errorf("hook directory %q: %w: name the folder with vmlinuz-ARCH and initramfs-ARCH", directory, err)
	}
	i := &Images{directory: directory, root: root}
	kernels, err := i.Kernels()
	if err == nil && len(kernels) == 0 {
		err = errors.New("no kernel there: put vmlinuz-ARCH and initramfs-ARCH into it, such as vmlinuz-x86_64 and initramfs-x86_64")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hook directory %q: %w", directory, err), root.Close())
	}
	return i, nil
}

// Kernels returns the names of the kernels that are there now, sorted.
func (i *Images) Kernels() ([]string, error) {
	entries, err := fs.ReadDir(i.root.FS(), ".")
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, kernelPrefix) && !strings.HasSuffix(name, ".sig") {
			names = append(names, name)
		}
	}
	return names, err
}

// Open opens a file of the folder; fs.ErrNotExist is the error of one that is not there, is hidden, or is no regular file.
func (i *Images) Open(name string) (*os.File, error) {
	if strings.HasPrefix(name, ".") || len(name) > maxName || strings.ContainsRune(name, 0) {
		return nil, fs.ErrNotExist
	}
	// A named pipe would wait for its writer otherwise.
	f, err := i.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close gives the folder back; nothing can be opened afterwards.
func (i *Images) Close() error { return i.root.Close() }

// image returns a file of the folder as content, for whoever opens it.
func (o ScriptOptions) image(name string) Content {
	if o.Images == nil {
		return Content{}
	}
	return Content{Name: name, Type: mediaType(name), Reason: ReasonImage, Open: func() (*os.File, error) { return o.Images.Open(name) }}
}
