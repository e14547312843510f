package need

import (
	"os"
	"os/exec"
	"testing"
)

// Root needs the rights of root: network namespaces, low ports, raw sockets.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		lacking(t, "root: run the tests with sudo")
	}
}

// Program needs a program of that name from the Debian package.
func Program(t testing.TB, name, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		lacking(t, name+": apt-get install "+debianPackage)
	}
}

// File needs a file or folder; remedy says how it is made.
func File(t testing.TB, path, remedy string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		lacking(t, path+": "+remedy)
	}
}

func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("this test needs " + what)
	}
	t.Skip("this test needs " + what)
}
