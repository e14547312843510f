package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiversion "k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/api/tugboot/v1alpha1"
	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/doctor"
)

// reviewsAtOnce is how many rights are asked about at a time.
const reviewsAtOnce = 8

// doctorAPI asks a cluster about itself and about the rights of this account.
type doctorAPI struct {
	core    *kubernetes.Clientset
	dynamic *dynamic.DynamicClient
}

func newDoctorAPI(config *rest.Config) (*doctorAPI, error) {
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	return &doctorAPI{core, client}, err
}

// version is what the API says of itself; it needs no rights.
func (a *doctorAPI) version(ctx context.Context) (string, error) {
	v := apiversion.Info{}
	text, err := a.core.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return "", err
	}
	return v.GitVersion, nil
}

// lookAtAPI asks the API for its version, whom it takes us for, what it serves and what we may do there.
func lookAtAPI(ctx context.Context, o *options.Serve, config *rest.Config, found *doctor.API) {
	found.Server = config.Host
	a, err := newDoctorAPI(config)
	if err != nil {
		found.Unusable = doctor.Trouble{What: oneLine(err), Remedy: "correct the kubeconfig"}
		return
	}
	if found.Version, err = a.version(ctx); err != nil {
		found.Away = awayFrom(err)
		return
	}
	if review, err := a.core.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{}); err == nil {
		found.Account = review.Status.UserInfo.Username // an older API does not know the question
	} else if apierrors.IsUnauthorized(err) {
		found.Away = awayFrom(err)
		return
	}
	found.Resources = a.resources(ctx, o)
	needed := doctor.Rights(a.need(ctx, o))
	found.Asked = len(needed)
	if found.Denied, err = a.denied(ctx, needed); err != nil {
		found.RightsFailed = oneLine(withoutURL(err))
	}
}

// awayFrom says why the API is of no use now.
func awayFrom(err error) doctor.Trouble {
	switch {
	case apierrors.IsUnauthorized(err):
		return doctor.Trouble{What: "it does not accept this account", Remedy: "renew the kubeconfig, or the account's token"}
	case errors.Is(err, context.DeadlineExceeded):
		return doctor.Trouble{What: fmt.Sprintf("nothing came within %v", doctorAPITimeout), Remedy: "look at the API server, and at the network to it"}
	}
	return doctor.Trouble{What: oneLine(withoutURL(err)), Remedy: "look at the kubeconfig, the API server and the network to it"}
}

// resources looks for the kinds that serve needs with these flags. Those of EKS Anywhere and Cluster API may come later.
func (a *doctorAPI) resources(ctx context.Context, o *options.Serve) []doctor.Resource {
	const bases = "config/crd/bases/"
	var all []doctor.Resource
	add := func(gv schema.GroupVersion, plural, file string) {
		r := doctor.Resource{Name: plural + "." + gv.Group, File: bases + file}
		r.Served, r.Why = a.serves(ctx, gv, plural)
		all = append(all, r)
	}
	add(tinkerbell.GroupVersion, tinkerbell.HardwareResource, "tinkerbell.org_hardware.yaml")
	if o.Takeover.Namespace != "" {
		add(v1alpha1.GroupVersion, v1alpha1.TakeoverResource, "tugboot.dev_takeovers.yaml")
	}
	if o.Services.Namespace != "" {
		add(v1alpha1.GroupVersion, v1alpha1.DHCPServiceResource, "tugboot.dev_dhcpservices.yaml")
	}
	return all
}

// serves reports whether the API serves a kind; else why it does not, as far as this account is told.
func (a *doctorAPI) serves(ctx context.Context, gv schema.GroupVersion, plural string) (served bool, why string) {
	list := &metav1.APIResourceList{}
	err := a.core.Discovery().RESTClient().Get().AbsPath("/apis/" + gv.String()).Do(ctx).Into(list)
	if err != nil && !apierrors.IsNotFound(err) {
		return false, oneLine(withoutURL(err))
	}
	for _, r := range list.APIResources {
		if r.Name == plural {
			return true, ""
		}
	}
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	crd, err := a.dynamic.Resource(crds).Get(ctx, plural+"."+gv.Group, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, "there is no such CustomResourceDefinition"
	case err != nil: // an account that serves may not look there, as a rule
		return false, ""
	}
	return false, unestablished(crd, gv.Version)
}

// unestablished says why a CRD that is there is not served.
func unestablished(crd *unstructured.Unstructured, wanted string) string {
	conditions, _, err := unstructured.NestedSlice(crd.Object, "status", "conditions")
	if err != nil {
		conditions = nil // the API's schema keeps it from being anything else
	}
	for _, each := range conditions {
		c, ok := each.(map[string]any)
		if ok && c["status"] != "True" && (c["type"] == "Established" || c["type"] == "NamesAccepted") {
			return fmt.Sprintf("its CustomResourceDefinition is not %v: %+.160q", c["type"], c["message"])
		}
	}
	return "its CustomResourceDefinition does not serve the version " + wanted
}

// need is what these flags and the objects that they lead to ask for. Objects that cannot be read ask for nothing: that
// they cannot be read is a right that is missing.
func (a *doctorAPI) need(ctx context.Context, o *options.Serve) doctor.Need {
	n := doctor.Need{Namespaces: o.Source.Namespaces, Takeover: o.Takeover.Namespace, Services: o.Services.Namespace}
	for _, s := range a.objects(ctx, v1alpha1.DHCPServiceResource, n.Services) {
		if name, found, err := unstructured.NestedString(s.Object, "spec", "kea", "secretName"); err == nil && found && name != "" {
			n.KeaSecrets = append(n.KeaSecrets, name)
		}
	}
	if o.Takeover.Role == options.RoleManagement {
		return n
	}
	for _, t := range a.objects(ctx, v1alpha1.TakeoverResource, n.Takeover) {
		check, _, err := unstructured.NestedString(t.Object, "spec", "remoteCheck")
		if err != nil || check != string(v1alpha1.RemoteCheckEnabled) {
			continue
		}
		n.RemoteCheck = true
		if cluster, found, err := unstructured.NestedString(t.Object, "spec", "clusterName"); err == nil && found && cluster != "" {
			n.RemoteSecret = cluster + "-kubeconfig"
		}
	}
	return n
}

// objects lists what can be listed of one of our kinds in a namespace; nothing without a namespace.
func (a *doctorAPI) objects(ctx context.Context, plural, namespace string) []unstructured.Unstructured {
	if namespace == "" {
		return nil
	}
	list, err := a.dynamic.Resource(v1alpha1.GroupVersion.WithResource(plural)).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: pageSize})
	if err != nil {
		return nil
	}
	return list.Items
}

// denied returns those of the rights that this account has not, in their order.
func (a *doctorAPI) denied(ctx context.Context, rights []doctor.Right) ([]doctor.Right, error) {
	allowed, problems := make([]bool, len(rights)), make([]error, len(rights))
	turns := make(chan struct{}, reviewsAtOnce)
	var asking sync.WaitGroup
	for i, r := range rights {
		asking.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			review, err := a.core.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Group: r.Group, Resource: r.Resource, Subresource: r.Subresource, Verb: r.Verb, Namespace: r.Namespace, Name: r.Name,
				}},
			}, metav1.CreateOptions{})
			if problems[i] = err; err == nil {
				allowed[i] = review.Status.Allowed
			}
		})
	}
	asking.Wait()
	var denied []doctor.Right
	for i, r := range rights {
		if problems[i] != nil {
			return nil, problems[i]
		}
		if !allowed[i] {
			denied = append(denied, r)
		}
	}
	return denied, nil
}
