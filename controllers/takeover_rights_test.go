package controllers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// takeoverCRDs are the CRDs of a management cluster: ours, and stand-ins for those of others; upstream's own where
// TUGBOOT_UPSTREAM_CRDS names a folder with them.
func takeoverCRDs() []string {
	if upstream := os.Getenv("TUGBOOT_UPSTREAM_CRDS"); upstream != "" {
		return []string{"../config/crd/bases/tugboot.dev_takeovers.yaml", crdPath(), filepath.Join(upstream, "eks-anywhere"),
			filepath.Join(upstream, "cluster-api"), filepath.Join(upstream, "tinkerbell", "v0.22.1-tinkerbell.org_workflows.yaml")}
	}
	return []string{"../config/crd/bases", "../test/testdata/crds"}
}

func installTakeoverCRDs(t *testing.T, config *rest.Config) {
	t.Helper()
	if _, err := envtest.InstallCRDs(config, envtest.CRDInstallOptions{Paths: takeoverCRDs(), ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
}

// apply creates every object of a file.
func (s *side) apply(path string) {
	s.t.Helper()
	for _, object := range objectsIn(s.t, path) {
		s.create(object)
	}
}

// objectsIn reads every object of a file.
func objectsIn(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if object.Object != nil {
			objects = append(objects, object)
		}
	}
}

// TestRightsAreEnough runs as the service account that config/rbac and config/rbac/takeover give rights to, and to which
// nothing else is allowed.
func TestRightsAreEnough(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "tugboot"}})
	for _, file := range []string{"role.yaml", "role_binding.yaml", "takeover/role.yaml", "takeover/role_binding.yaml"} {
		s.apply(filepath.Join("..", "config", "rbac", file))
	}
	managed(s)
	account := rest.CopyConfig(s.config)
	account.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:tugboot:tugboot",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:tugboot", "system:authenticated"},
	}
	in := s.runAs(account, &stacks{serving: map[string]bool{tinkerbellIP: true}})
	s.reaches(in, v1alpha1.PhaseManaged, tinkerbellIP)
	for _, line := range in.lines {
		if strings.Contains(line, "forbidden") {
			t.Errorf("a right is missing: %s", line)
		}
	}
	as := newClient(t, account)
	if err := as.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "x"}, &corev1.Secret{}); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("it may read Secrets: %v", err)
	}
}

// kubeconfigOf writes a config as the Secret of Cluster API holds it.
func kubeconfigOf(t *testing.T, config *rest.Config) []byte {
	t.Helper()
	text, err := clientcmd.Write(clientcmdapi.Config{
		CurrentContext: "c",
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"c": {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: "c"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A kubeconfig from a Secret may not have this host run a program or read a file.
func TestOnlySelfContainedKubeconfigs(t *testing.T) {
	good := kubeconfigOf(t, &rest.Config{Host: "https://192.0.2.20:6443", TLSClientConfig: rest.TLSClientConfig{CertData: []byte("c"), KeyData: []byte("k")}})
	if _, err := selfContained(good); err != nil {
		t.Fatalf("%v:\n%s", err, good)
	}
	bad := map[string]func(*clientcmdapi.Config){
		"a program": func(c *clientcmdapi.Config) {
			c.AuthInfos["c"].Exec = &clientcmdapi.ExecConfig{Command: "sh", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: "Never"}
		},
		"a token file": func(c *clientcmdapi.Config) { c.AuthInfos["c"].TokenFile = "/etc/passwd" },
		"a key file":   func(c *clientcmdapi.Config) { c.AuthInfos["c"].ClientKey = "/etc/passwd" },
		"a CA file":    func(c *clientcmdapi.Config) { c.Clusters["c"].CertificateAuthority = "/etc/passwd" },
		"a proxy":      func(c *clientcmdapi.Config) { c.Clusters["c"].ProxyURL = "http://192.0.2.1" },
		"no context":   func(c *clientcmdapi.Config) { c.CurrentContext = "x" },
	}
	for name, spoil := range bad {
		config, err := clientcmd.Load(good)
		if err != nil {
			t.Fatal(err)
		}
		spoil(config)
		text, err := clientcmd.Write(*config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := selfContained(text); err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "/etc/passwd") {
			t.Errorf("%s: the error tells what the Secret holds: %v", name, err)
		}
	}
	if _, err := selfContained([]byte("\x00")); err == nil {
		t.Error("garbage is taken")
	}
}
