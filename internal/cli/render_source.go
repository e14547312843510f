package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/controllers"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/hardwarefile"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/render"
	"github.com/tugboot/tugboot/internal/reservation"
	"github.com/tugboot/tugboot/internal/takeover"
	"github.com/tugboot/tugboot/internal/tink"
)

// pageSize is how many Hardware objects are asked for at once.
const pageSize = 500

// renderSource reads the reservations from where o says, and from a cluster also the word of its baton.
func renderSource(c *cobra.Command, o *options.Render, word render.Word) (*inventory.Snapshot, render.Word, error) {
	if o.Hardware != "" {
		snapshot, err := fileHardware(c.ErrOrStderr(), o.Hardware)
		return snapshot, word, err
	}
	config, err := contextConfig(o.Kubeconfig, o.Context)
	if err != nil {
		return nil, word, err
	}
	if word, err = batonWord(c.Context(), config, o, word); err != nil {
		return nil, word, err
	}
	snapshot, err := clusterHardware(c.Context(), func(p reservation.Problem) { fmt.Fprintf(c.ErrOrStderr(), "tugboot: %v\n", p) }, config, o.Namespaces)
	return snapshot, word, err
}

// fileHardware reads Hardware from files. A machine whose reservation is missing would be given another address: any file
// that cannot be understood is an error.
func fileHardware(stderr io.Writer, path string) (*inventory.Snapshot, error) {
	store := inventory.NewStore()
	var broken []error
	follower, err := hardwarefile.New(hardwarefile.Options{
		Path: path, Store: store, Registerer: prometheus.NewRegistry(),
		Report: func(p reservation.Problem) {
			if p.Reason == hardwarefile.ReasonFileInvalid || p.Reason == hardwarefile.ReasonFileUnreadable {
				broken = append(broken, p)
				return
			}
			fmt.Fprintf(stderr, "tugboot: %v\n", p)
		},
	})
	if err != nil {
		return nil, err
	}
	if err := follower.Load(); err != nil {
		return nil, err
	}
	if len(broken) > 0 {
		return nil, fmt.Errorf("hardware file %s: nothing is rendered from half of it: %w", printableName(path), errors.Join(broken...))
	}
	return store.Load(), nil
}

// contextConfig reads a context of a kubeconfig.
func contextConfig(kubeconfig, name string) (*rest.Config, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	switch {
	case clientcmd.IsEmptyConfig(err): // its message recommends what has no effect here
		return nil, fmt.Errorf("--kubeconfig %q: names no cluster: give a file with which kubectl reaches yours", kubeconfig)
	case err != nil:
		return nil, fmt.Errorf("--kubeconfig %q: %s: give a file with which kubectl reaches your cluster, and a --context that is in it", kubeconfig, oneLine(err))
	}
	config.Timeout = takeoverTimeout
	config.UserAgent = "tugboot"
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

// batonWord takes the mark, and without --next-server what is advertised, from the cluster's baton.
func batonWord(ctx context.Context, config *rest.Config, o *options.Render, word render.Word) (render.Word, error) {
	core, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return word, fmt.Errorf("--kubeconfig %q: %s: correct it", o.Kubeconfig, oneLine(err))
	}
	name := v1alpha1.BatonPrefix + o.Cluster
	object, err := core.ConfigMaps(o.BatonNamespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err != nil && word.Says.IsZero() && apierrors.IsNotFound(err):
		return word, fmt.Errorf("ConfigMap %s/%s: there is none, so that nobody says what machines boot from: give --next-server, or the --cluster and --takeover-namespace of the Takeover",
			o.BatonNamespace, name)
	case apierrors.IsNotFound(err):
		return word, nil
	case err != nil:
		return word, fmt.Errorf("ConfigMap %s/%s: the API at %s: %s: have the verb get on it granted, or render from --hardware",
			o.BatonNamespace, name, config.Host, oneLine(withoutURL(err)))
	}
	baton, problem := takeover.ParseBaton(o.Cluster, object.Data)
	if problem != nil {
		return word, fmt.Errorf("ConfigMap %s/%s: %s %+.80q: %s", o.BatonNamespace, name, problem.Field, problem.Value, problem.Remedy)
	}
	word.Mark = baton.Mark
	if word.Says.IsZero() {
		word.Says = baton.Advertised
	}
	if word.Says.IsZero() {
		return word, fmt.Errorf("ConfigMap %s/%s: advertises nothing yet: give --next-server", o.BatonNamespace, name)
	}
	return word, nil
}

// clusterHardware lists the Hardware of a cluster, and reports what is wrong with it.
func clusterHardware(ctx context.Context, report func(reservation.Problem), config *rest.Config, namespaces []string) (*inventory.Snapshot, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("cluster %q: %s: correct the kubeconfig", config.Host, oneLine(err))
	}
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var claims []*reservation.Reservation
	for _, namespace := range namespaces {
		next := metav1.ListOptions{Limit: pageSize}
		for first := true; first || next.Continue != ""; first = false {
			list, err := client.Resource(tinkerbell.GroupVersion.WithResource(tinkerbell.HardwareResource)).Namespace(namespace).List(ctx, next)
			if err != nil {
				return nil, fmt.Errorf("list Hardware of the cluster at %s: %s: have the verb list on hardware.tinkerbell.org granted, and check the kubeconfig",
					config.Host, oneLine(withoutURL(err)))
			}
			for i := range list.Items {
				claims = append(claims, claimsOf(report, list.Items[i].Object)...)
			}
			next.Continue = list.GetContinue()
		}
	}
	snapshot := inventory.New(claims)
	for _, conflict := range snapshot.Conflicts() {
		report(conflict.Problem())
	}
	return snapshot, nil
}

// claimsOf converts one object, and reports what is wrong with it.
func claimsOf(report func(reservation.Problem), object map[string]any) []*reservation.Reservation {
	text, err := json.Marshal(object)
	hw := &tinkerbell.Hardware{}
	if err == nil {
		err = json.Unmarshal(text, hw)
	}
	if err != nil {
		report(reservation.Problem{
			Source: reservation.Source{Name: "Hardware " + printable(hw.Namespace) + "/" + printable(hw.Name)}, Reason: controllers.ReasonUndecodable, Field: "spec", Fatal: true,
			Remedy: "is not what Tinkerbell's schema says (" + oneLine(err) + "), and its machines are left out: correct it",
		})
		return nil
	}
	reservations, problems := tink.Convert(hw)
	for _, p := range problems {
		report(p)
	}
	return reservations
}
