package files

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
)

func TestReadRefuses(t *testing.T) {
	const name = "tugboot-lab.group"
	for _, c := range []struct {
		what, words string
		make        func(path string) error
	}{
		{"a link out of the folder", "leads out of the folder", func(path string) error {
			return os.Symlink("../log", path)
		}},
		{"an absolute link", "leads out of the folder", func(path string) error { return os.Symlink("/etc/passwd", path) }},
		{"a link to nowhere", "nowhere", func(path string) error { return os.Symlink("nothing", path) }},
		{"a folder", "not a plain file", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"a pipe", "not a plain file", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"a large file", "larger than", func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, maxFile+1)
		}},
		{"a file without a mark", "tugboot-mark", func(path string) error { return os.WriteFile(path, []byte("group {\n}\n"), 0o600) }},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := newSite(t, ISC(), nil)
			put(t, s.log, "")
			if err := c.make(filepath.Join(s.folder, name)); err != nil {
				t.Fatal(err)
			}
			_, err := s.Read(t.Context(), wanted(1, 1))
			failed(t, err, c.words, filepath.Join(s.folder))
		})
	}
}

func TestFolderThatCannotBeRead(t *testing.T) {
	s := newSite(t, ISC(), nil)
	if err := os.RemoveAll(s.folder); err != nil {
		t.Fatal(err)
	}
	_, err := dhcpservice.Apply(t.Context(), s, wanted(1, 1), nil)
	failed(t, err, s.folder, "it is not there: create it")
	put(t, s.folder, "a file")
	_, err = dhcpservice.Apply(t.Context(), s, wanted(1, 1), nil)
	failed(t, err, s.folder, "not a directory")
	if ran := s.ran(); ran != "" {
		t.Errorf("ran %q", ran)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	s := newSite(t, ISC(), nil)
	s.options.Folder = "/proc/self/fdinfo"
	_, err := dhcpservice.Apply(t.Context(), s, wanted(1, 1), nil)
	failed(t, err, "/proc/self/fdinfo/tugboot-lab.group", "let this process write there", "what stood there before was put back")
	if ran := s.ran(); ran != "" {
		t.Errorf("ran %q", ran)
	}
	s.options.Check = []string{"/bin/true"}
	failed(t, s.Check(t.Context(), wanted(1, 1)), "/proc/self/fdinfo", "let this process write there")
}

func TestLinkInsideOfTheFolderIsRead(t *testing.T) {
	s := newSite(t, ISC(), nil)
	s.apply(wanted(1, 1))
	path := filepath.Join(s.folder, "tugboot-lab.group")
	if err := os.Rename(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("tugboot-lab.group.kept", path); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(t.Context(), wanted(1, 1)); err != nil || got.Reservations != 1 || got.Drifts != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
