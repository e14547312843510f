package ipxe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tugboot/tugboot/internal/boot"
)

// Limits of a library, in bytes. An iPXE binary has about 1 MiB.
const (
	MaxFileSize  = 16 << 20
	MaxTotalSize = 128 << 20
)

// Library is a directory of first-stage binaries, read into memory once. It is immutable.
type Library struct {
	files    map[string]binary
	binaries *boot.Binaries
	missing  []Missing
	skipped  []error
}

type binary struct {
	body     []byte
	modified time.Time
}

// Missing is a family of machines that no file of the directory is for.
type Missing struct {
	Family boot.Family
	// Sought are the names that were looked for.
	Sought []string
}

// String says what was looked for, such as "uefi-arm64: snp-arm64.efi, ipxe-arm64.efi".
func (m Missing) String() string { return m.Family.String() + ": " + strings.Join(m.Sought, ", ") }

// LibraryOptions choose among binaries.
type LibraryOptions struct {
	// BootFiles names the first file of families of machines, in the place of the usual one: snponly.efi, which drives
	// the network card through the firmware, or a signed shim, which fetches the next file itself.
	BootFiles map[boot.Family]string
}

// Load reads the first-stage binaries of a directory. Symbolic links may lead to regular files within the directory
// only. A file that cannot be taken is skipped and named in Skipped; it is an error when no family has a binary, or when
// a file that the options name is not there.
func Load(directory string, o LibraryOptions) (*Library, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, noBinaries(directory, without(nil), fmt.Errorf("open the directory: %w", err))
	}
	l := &Library{files: map[string]binary{}}
	err = errors.Join(l.read(root), root.Close())
	if err != nil {
		return nil, fmt.Errorf("iPXE directory %q: %w", directory, err)
	}
	if err := l.named(o.BootFiles); err != nil {
		return nil, fmt.Errorf("iPXE directory %q: %w", directory, err)
	}
	l.assign(o.BootFiles)
	if len(o.BootFiles) == 0 && len(l.missing) == len(without(nil)) {
		return nil, noBinaries(directory, l.missing, errors.Join(l.skipped...))
	}
	return l, nil
}

// read takes every first-stage binary of the root into memory.
func (l *Library) read(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	room := int64(MaxTotalSize)
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !isBinary(name) {
			continue
		}
		b, err := readBinary(root, name, min(room, MaxFileSize))
		if err != nil {
			l.skipped = append(l.skipped, fmt.Errorf("file %q is not served: %w", name, err))
			continue
		}
		room -= int64(len(b.body))
		l.files[name] = b
	}
	return nil
}

// readBinary reads one regular file of at most limit bytes. The kind is looked at before opening, because opening a
// named pipe would wait for ever.
func readBinary(root *os.Root, name string, limit int64) (b binary, err error) {
	stat, err := root.Stat(name)
	switch {
	case err != nil:
		return binary{}, err
	case !stat.Mode().IsRegular():
		return binary{}, fmt.Errorf("it is a %v: put a regular file there", stat.Mode().Type())
	case stat.Size() == 0:
		return binary{}, errors.New("it is empty")
	}
	f, err := root.Open(name)
	if err != nil {
		return binary{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	body, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return binary{}, err
	}
	if int64(len(body)) > limit {
		return binary{}, fmt.Errorf("it is larger than the %d bytes allowed (%d a file, %d in all)", limit, MaxFileSize, MaxTotalSize)
	}
	return binary{body: body, modified: stat.ModTime()}, nil
}

// named returns an error that lists every file that bootFiles names and the directory does not hold.
func (l *Library) named(bootFiles map[boot.Family]string) error {
	var problems []error
	for _, f := range boot.Families() {
		if name := bootFiles[f]; name != "" && l.files[name].body == nil {
			problems = append(problems, fmt.Errorf("boot file %s=%s: no such first-stage binary there, which has %s: put it there, or name one of these",
				f, name, strings.Join(l.Names(), ", ")))
		}
	}
	if problems == nil {
		return nil
	}
	return errors.Join(append(problems, l.skipped...)...)
}

// assign finds each family's binary and serves it under its wire name; one that was named keeps its own.
func (l *Library) assign(bootFiles map[boot.Family]string) {
	byFamily := maps.Clone(bootFiles)
	if byFamily == nil {
		byFamily = map[boot.Family]string{}
	}
	for _, stage := range firstStages() {
		i := slices.IndexFunc(stage.sources, func(name string) bool { return l.files[name].body != nil })
		if i < 0 {
			continue
		}
		l.files[stage.wire] = l.files[stage.sources[i]]
		if byFamily[stage.family] == "" {
			byFamily[stage.family] = stage.wire
		}
	}
	l.binaries = boot.NewBinaries(byFamily, slices.Collect(maps.Keys(l.files)))
	l.missing = without(l.binaries)
}

// without returns the families that are given no binary.
func without(binaries *boot.Binaries) []Missing {
	var missing []Missing
	for _, stage := range firstStages() {
		if binaries.For(stage.family) == "" {
			missing = append(missing, Missing{Family: stage.family, Sought: stage.sources})
		}
	}
	return missing
}

// Binaries returns the names under which the binaries are served.
func (l *Library) Binaries() *boot.Binaries { return l.binaries }

// Missing returns the families that have no binary; machines of these get their address and nothing to boot.
func (l *Library) Missing() []Missing { return slices.Clone(l.missing) }

// Skipped returns why files that bear the name of a binary are not served.
func (l *Library) Skipped() []error { return slices.Clone(l.skipped) }

// Names returns every name that is served, sorted.
func (l *Library) Names() []string { return slices.Sorted(maps.Keys(l.files)) }

// get returns a binary as content; the Body of one that is not there is nil.
func (l *Library) get(name string) Content {
	b := l.files[name]
	return Content{Name: name, Body: b.body, Type: mediaType(name), Modified: b.modified, Reason: ReasonBinary}
}

// noBinaries is the error of a directory without any binary: it lists all that was looked for.
func noBinaries(directory string, missing []Missing, cause error) error {
	var sought strings.Builder
	for _, m := range missing {
		sought.WriteString("; " + m.String())
	}
	err := fmt.Errorf("iPXE directory %q holds no first-stage binary: install the distribution's ipxe package or name "+
		"another directory; looked for%s", directory, strings.TrimPrefix(sought.String(), ";"))
	if cause != nil {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
