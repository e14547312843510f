package agent

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tugboot/tugboot/internal/dhcpservice"
)

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "eksa-system", Name: name}}
}

func TestConfigMaps(t *testing.T) {
	ctx := t.Context()
	client := fake.NewClientset()
	connects, absent := 0, errors.New("no such kubeconfig")
	api := ConfigMaps{Label: "lab", Namespace: "eksa-system", Name: "office", Connect: func() (kubernetes.Interface, error) {
		connects++
		return client, absent
	}}.API()
	if _, err := api.Read(ctx); !errors.Is(err, absent) {
		t.Errorf("without a kubeconfig: %v", err)
	}
	absent = nil
	if packed, err := api.Read(ctx); err != nil || packed != nil {
		t.Errorf("without a ConfigMap: %q, %v", packed, err)
	}
	if err := api.Write(ctx, []byte("{}")); !errors.Is(err, ErrNoReport) || !strings.Contains(err.Error(), "eksa-system/tugboot-dhcp-office-report") {
		t.Errorf("without a ConfigMap for the report: %v", err)
	}
	ordered := configMap("tugboot-dhcp-office")
	ordered.BinaryData = map[string][]byte{dhcpservice.KeyOrder: []byte("packed")}
	for _, object := range []*corev1.ConfigMap{ordered, configMap("tugboot-dhcp-office-report")} {
		if _, err := client.CoreV1().ConfigMaps("eksa-system").Create(ctx, object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if packed, err := api.Read(ctx); err != nil || string(packed) != "packed" {
		t.Errorf("read %q, %v", packed, err)
	}
	if err := api.Write(ctx, []byte(`{"digest":"1"}`)); err != nil {
		t.Error(err)
	}
	report, err := client.CoreV1().ConfigMaps("eksa-system").Get(ctx, "tugboot-dhcp-office-report", metav1.GetOptions{})
	if err != nil || report.Data[dhcpservice.KeyReport] != `{"digest":"1"}` {
		t.Errorf("the report is %v, %v", report, err)
	}
	if connects != 2 {
		t.Errorf("%d clients, want one that failed and one that is kept", connects)
	}
}

func TestAFailedCallMakesANewClient(t *testing.T) {
	client := fake.NewClientset(configMap("tugboot-dhcp-office-report"))
	refused := errors.New("refused")
	for _, verb := range []string{"get", "update"} {
		client.PrependReactor(verb, "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
			return refused != nil, nil, refused
		})
	}
	connects := 0
	api := ConfigMaps{Namespace: "eksa-system", Name: "office", Connect: func() (kubernetes.Interface, error) {
		connects++
		return client, nil
	}}.API()
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error { _, err := api.Read(ctx); return err },
		func(ctx context.Context) error { return api.Write(ctx, nil) },
	} {
		if err := call(t.Context()); !errors.Is(err, refused) || !strings.Contains(err.Error(), "eksa-system/tugboot-dhcp-office") {
			t.Errorf("%v, want an error that names the ConfigMap", err)
		}
	}
	refused = nil
	if err := api.Write(t.Context(), nil); err != nil || connects != 3 {
		t.Errorf("%v after %d clients, want one for each call", err, connects)
	}
}
