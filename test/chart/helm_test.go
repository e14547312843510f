package chart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/test/need"
)

var (
	root   = filepath.Join("..", "..")
	folder = filepath.Join(root, "charts", "tugboot")
)

// run runs helm or kubectl with an environment of its own.
func run(t *testing.T, program string, env []string, args ...string) (string, error) {
	t.Helper()
	kube := os.Getenv("TUGBOOT_KUBE")
	if kube == "" {
		need.File(t, "TUGBOOT_KUBE", "run `make chart`, which sets it, or set it to what hack/kube/build.sh prints")
	}
	own := t.TempDir()
	command := exec.CommandContext(t.Context(), filepath.Join(kube, program), args...)
	command.Env = append(append(os.Environ(), "HELM_CACHE_HOME="+own, "HELM_CONFIG_HOME="+own, "HELM_DATA_HOME="+own), env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), errors.New(strings.TrimSpace(stderr.String() + " " + err.Error()))
	}
	return stdout.String(), nil
}

// template renders the chart, without its CRDs.
func template(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return run(t, "helm", nil, append([]string{"template", "tugboot", folder, "--namespace=eksa-system", "--set=crds.install=false"}, args...)...)
}

func must(t *testing.T, out string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// objects are those of a YAML text.
func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// find returns the object of a kind and name.
func find(t *testing.T, all []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range all {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}

func yamlOf(object map[string]any) (string, error) {
	text, err := yaml.Marshal(object)
	return string(text), err
}
