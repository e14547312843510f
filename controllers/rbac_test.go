package controllers

import (
	"os"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/internal/tink"
)

// TestRoleIsEnough runs as a service account that has config/rbac/role.yaml and nothing else: first without, then with it.
func TestRoleIsEnough(t *testing.T) {
	c := newClient(t, shared(t))
	ns := namespace(t, c, "role")
	bad := machine(ns, "bad", 1)
	bad.Spec.Interfaces[0].DHCP.MAC += "junk"
	create(t, c, bad, machine(ns, "good", 2))

	account := rest.CopyConfig(shared(t))
	account.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + ns + ":tugboot",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"},
	}
	f := follow(t, account, []string{ns}, recorder(t, account).Report)
	eventually(t, func() string {
		if f.logged("apply config/rbac") == 0 {
			return "it does not say that it lacks rights"
		}
		return ""
	})

	text, err := os.ReadFile("../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{}
	if err := yaml.UnmarshalStrict(text, role); err != nil {
		t.Fatal(err)
	}
	create(t, c, role, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: ns, Name: "tugboot"}},
	})
	f.served(t, 2)
	said(t, c, ns, "bad "+tink.ReasonInvalidMAC)

	if err := newClient(t, account).Create(t.Context(), machine(ns, "third", 3)); !apierrors.IsForbidden(err) {
		t.Errorf("the role lets Hardware be created: %v", err)
	}
	if err := newClient(t, account).Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "good"}, &v1alpha1.Hardware{}); !apierrors.IsForbidden(err) {
		t.Errorf("the role lets single Hardware be read, which nothing does: %v", err)
	}
}
