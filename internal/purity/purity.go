package purity

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// forbidden are the packages, and with a trailing slash the trees of packages, that a pure package may not reach.
var forbidden = []string{
	"net", "net/http", "os/exec", "os/signal", "log", "log/slog", "syscall/js", "crypto/tls",
	"k8s.io/", "sigs.k8s.io/", "go.uber.org/zap", "go.uber.org/zap/", "github.com/go-logr/", "github.com/insomniacslk/",
	"github.com/prometheus/", "github.com/spf13/", "github.com/vishvananda/", "golang.org/x/net/",
}

// clockwork are the calls by which a package would look at the clock or the environment on its own.
var clockwork = []string{"time.Now(", "time.Since(", "time.Until(", "os.Getenv(", "rand.Int", "os.ReadFile(", "os.Open("}

// Check fails the test when the package in the current folder reaches a forbidden package, or when its own source
// reads the clock, the environment or a file. Names in allow are permitted all the same.
func Check(t *testing.T, allow ...string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps .: %v\n%s", err, out)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if slices.Contains(allow, path) || slices.Contains([]string{"net/netip", "net/url"}, path) {
			continue
		}
		for _, f := range forbidden {
			if path == f || strings.HasSuffix(f, "/") && strings.HasPrefix(path, f) {
				t.Errorf("this package is pure, and reaches %s", path)
			}
		}
	}
	checkSource(t)
}

func checkSource(t *testing.T) {
	t.Helper()
	for name, text := range sources(t) {
		for _, call := range clockwork {
			if strings.Contains(text, call) {
				t.Errorf("%s calls %s...): in a pure package time, chance and files are arguments", name, call)
			}
		}
	}
}
