package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	clientcmd "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"
)

// ControlPlane is etcd and kube-apiserver at a station: the Kubernetes API without nodes.
type ControlPlane struct {
	// URL is the API's.
	URL string
	// Kubeconfig is the path of an administrator's kubeconfig file.
	Kubeconfig string

	station *Station
	kubectl string
	etcd    *Process
	server  *Process
	start   func() (*Process, error)
}

// apiPort is the port of the Kubernetes API.
const apiPort = "6443"

// StartControlPlane starts a control plane at the lab's server. See Station.StartControlPlane.
func (l *Lab) StartControlPlane(ctx context.Context, assets string) (*ControlPlane, error) {
	return l.ServerStation().StartControlPlane(ctx, assets)
}

// StartControlPlane starts etcd and kube-apiserver from the programs in the folder assets, which must hold kubectl too,
// and returns when the API says that it is ready.
func (s *Station) StartControlPlane(ctx context.Context, assets string) (*ControlPlane, error) {
	for _, program := range []string{"etcd", "kube-apiserver", "kubectl"} {
		if _, err := os.Stat(filepath.Join(assets, program)); err != nil {
			return nil, fmt.Errorf("control plane: %w: run hack/control-plane.sh, which prints a folder that holds it", err)
		}
	}
	keys := filepath.Join(s.Dir, "keys")
	var err error
	c := &ControlPlane{station: s, kubectl: filepath.Join(assets, "kubectl"), Kubeconfig: filepath.Join(s.Dir, "kubeconfig"),
		URL: "https://" + net.JoinHostPort(s.Addr.String(), apiPort)}
	if err := c.writeKeys(keys); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	const etcdURL, peerURL = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	// A fresh store each time; a lab has nothing to keep.
	store := filepath.Join(s.Dir, "etcd")
	if err := os.RemoveAll(store); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	c.etcd, err = s.Start(Spec{Name: "etcd", Args: []string{filepath.Join(assets, "etcd"), "--data-dir=" + store, "--unsafe-no-fsync",
		"--listen-client-urls=" + etcdURL, "--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL, "--initial-cluster=default=" + peerURL}})
	if err != nil {
		return nil, err
	}
	c.start = func() (*Process, error) {
		return s.Start(Spec{Name: "kube-apiserver", Args: apiserverArgs(assets, keys, etcdURL, s.Addr.String())})
	}
	return c, c.StartAPI(ctx)
}

func apiserverArgs(assets, keys, etcdURL, address string) []string {
	key := func(name string) string { return filepath.Join(keys, name) }
	return []string{filepath.Join(assets, "kube-apiserver"), "--etcd-servers=" + etcdURL,
		"--bind-address=" + address, "--advertise-address=" + address, "--secure-port=" + apiPort,
		"--tls-cert-file=" + key("server.crt"), "--tls-private-key-file=" + key("server.key"), "--client-ca-file=" + key("ca.crt"),
		"--service-account-key-file=" + key("accounts.key"), "--service-account-signing-key-file=" + key("accounts.key"),
		"--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=RBAC",
		// Without the controllers that make service accounts this admission step would refuse every pod.
		"--disable-admission-plugins=ServiceAccount"}
}

// writeKeys writes the server's certificate, the key that signs service accounts, and the kubeconfig.
func (c *ControlPlane) writeKeys(folder string) error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	serverCert, serverKey, err := ca.issue(pkix.Name{CommonName: "kube-apiserver"},
		[]net.IP{c.station.Addr.AsSlice(), net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}, []string{"localhost", "kubernetes.default.svc"})
	if err != nil {
		return err
	}
	adminCert, adminKey, err := ca.issue(pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}, nil, nil)
	if err != nil {
		return err
	}
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	accountsKey, err := encodeKey(accounts)
	if err != nil {
		return err
	}
	config, err := yaml.Marshal(clientcmd.Config{
		APIVersion: "v1", Kind: "Config", CurrentContext: "lab",
		Clusters:  []clientcmd.NamedCluster{{Name: "lab", Cluster: clientcmd.Cluster{Server: c.URL, CertificateAuthorityData: ca.PEM}}},
		AuthInfos: []clientcmd.NamedAuthInfo{{Name: "admin", AuthInfo: clientcmd.AuthInfo{ClientCertificateData: adminCert, ClientKeyData: adminKey}}},
		Contexts:  []clientcmd.NamedContext{{Name: "lab", Context: clientcmd.Context{Cluster: "lab", AuthInfo: "admin"}}},
	})
	if err != nil {
		return err
	}
	return errors.Join(
		writePrivate(folder, map[string][]byte{"ca.crt": ca.PEM, "server.crt": serverCert, "server.key": serverKey, "accounts.key": accountsKey}),
		os.WriteFile(c.Kubeconfig, config, 0o600))
}

// waitReady returns when the API is ready, or says which of the two programs ended and what it logged last.
func (c *ControlPlane) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	for {
		if _, err := c.Kubectl(ctx, nil, "get", "--raw", "/readyz"); err == nil {
			return nil
		}
		for _, p := range []*Process{c.etcd, c.server} {
			select {
			case <-p.Done():
				return fmt.Errorf("%s ended (%s) before the API was ready; the end of %s:\n%s", p.Name, p.Outcome(), p.Log, Tail(p.Log, 15))
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API was not ready in time: %w; the end of %s:\n%s", ctx.Err(), c.server.Log, Tail(c.server.Log, 15))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// StartAPI starts kube-apiserver, once more after StopAPI, and returns when it says that it is ready.
func (c *ControlPlane) StartAPI(ctx context.Context) (err error) {
	if c.server, err = c.start(); err != nil {
		return err
	}
	return c.waitReady(ctx)
}

// StopAPI takes kube-apiserver away, as an outage does; etcd keeps what it holds.
func (c *ControlPlane) StopAPI() { c.server.Stop(stopGrace) }

// Delete ends both programs for good and at once, as deleting a kind cluster does.
func (c *ControlPlane) Delete() {
	c.server.Kill()
	c.etcd.Kill()
}

// Kubectl runs kubectl as administrator from inside the station's namespace and returns its standard output.
func (c *ControlPlane) Kubectl(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	return c.station.Run(ctx, stdin, append(c.KubectlArgs(), args...)...)
}

// Path is the file that stands for the network namespace from which the API can be reached.
func (c *ControlPlane) Path() string { return c.station.Path() }

// KubectlArgs is the beginning of a kubectl command line: the program, and how it finds the API.
func (c *ControlPlane) KubectlArgs() []string {
	return []string{c.kubectl, "--kubeconfig=" + c.Kubeconfig, "--cache-dir=" + filepath.Join(c.station.Dir, "kubectl-cache")}
}
