package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
)

// The limits of one command: how long it waits for the API, and how many Takeovers it names when there are several.
const (
	takeoverTimeout = 15 * time.Second
	takeoverLimit   = 10
)

// takeoverAPI reads the Takeovers of one namespace and sets annotations on them. It needs the verbs get, list and patch.
type takeoverAPI struct {
	client            dynamic.ResourceInterface
	namespace, server string
}

// newTakeoverAPI finds the cluster as kubectl does.
func newTakeoverAPI(kubeconfig, namespace string) (*takeoverAPI, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err) && kubeconfig != "": // its message recommends what has no effect here
		return nil, fmt.Errorf("--kubeconfig %q: names no cluster: give a file with which kubectl reaches yours", kubeconfig)
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("no cluster to ask: there is no kubeconfig, and this runs in no cluster: give --kubeconfig or set KUBECONFIG")
	case err != nil && kubeconfig != "":
		return nil, fmt.Errorf("--kubeconfig %q: %s: give a file with which kubectl reaches your cluster", kubeconfig, oneLine(err))
	case err != nil:
		return nil, fmt.Errorf("no cluster to ask: %s: correct the file that KUBECONFIG names, or give --kubeconfig", oneLine(err))
	}
	config.Timeout = takeoverTimeout
	config.UserAgent = "tugboot"
	config.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %s: correct the kubeconfig", config.Host, oneLine(err))
	}
	resource := v1alpha1.GroupVersion.WithResource(v1alpha1.TakeoverResource)
	return &takeoverAPI{client: client.Resource(resource).Namespace(namespace), namespace: namespace, server: config.Host}, nil
}

// find returns the Takeover of that name, or the only one when name is empty.
func (a *takeoverAPI) find(ctx context.Context, name string) (*v1alpha1.Takeover, error) {
	if name != "" {
		object, err := a.client.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, a.explain("get", name, err)
		}
		return decodeTakeover(object)
	}
	list, err := a.client.List(ctx, metav1.ListOptions{Limit: takeoverLimit})
	if err != nil {
		return nil, a.explain("list", "", err)
	}
	switch len(list.Items) {
	case 0:
		return nil, fmt.Errorf("namespace %s: holds no Takeover: create one (an empty spec will do), or name another namespace with -n", a.namespace)
	case 1:
		return decodeTakeover(&list.Items[0])
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.GetName())
	}
	if list.GetContinue() != "" {
		names = append(names, "and more")
	}
	return nil, fmt.Errorf("namespace %s: holds several Takeovers: name one of them: %s", a.namespace, strings.Join(names, ", "))
}

// annotate sets an annotation, or removes it when value is nil. No other one is touched.
func (a *takeoverAPI) annotate(ctx context.Context, name, annotation string, value *string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{annotation: value}}})
	if err != nil {
		return err
	}
	if _, err := a.client.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "tugboot"}); err != nil {
		return a.explain("patch", name, err)
	}
	return nil
}

// decodeTakeover reads a Takeover. The schema of an older or newer CRD may let through what this program cannot read.
func decodeTakeover(object *unstructured.Unstructured) (*v1alpha1.Takeover, error) {
	t := &v1alpha1.Takeover{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, t); err != nil {
		return nil, fmt.Errorf("%s %s/%s: %s: apply the CRD of this Tugboot, config/crd/bases/tugboot.dev_takeovers.yaml",
			v1alpha1.TakeoverKind, object.GetNamespace(), object.GetName(), oneLine(err))
	}
	return t, nil
}

// explain says in one line what failed, and what to do.
func (a *takeoverAPI) explain(verb, name string, err error) error {
	object := "Takeovers in namespace " + a.namespace
	if name != "" {
		object = "Takeover " + a.namespace + "/" + name
	}
	status := apierrors.APIStatus(nil)
	switch {
	case apierrors.IsNotFound(err) && (name == "" || apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)):
		return fmt.Errorf("%s: the API at %s does not know Takeovers: run `kubectl apply -f config/crd/bases/tugboot.dev_takeovers.yaml`, or ask another cluster with --kubeconfig",
			object, a.server)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s: there is none of that name: see `kubectl get takeovers -A`", object)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: this account may not %s it: have the verbs get, list and patch on takeovers.tugboot.dev granted to it", object, verb)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: the API at %s does not accept this account: renew the kubeconfig", object, a.server)
	case errors.As(err, &status):
		return fmt.Errorf("%s: the API at %s does not let it %s: %s: look at the API server's health", object, a.server, verb, oneLine(err))
	}
	return fmt.Errorf("%s: the API at %s does not answer: %s: check the kubeconfig, the API server and the network to it",
		object, a.server, oneLine(withoutURL(err)))
}

// oneLine is err's text with what a terminal would obey spelt out.
func oneLine(err error) string { return printable(err.Error()) }
