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

// ControlPlane is etcd and kube-apiserver at a station: the Kubernetes API without nodes. A Cluster has one too.
type ControlPlane struct {
	// URL is the API's.
	URL string
	// Kubeconfig is the path of an administrator's kubeconfig file.
	Kubeconfig string

	station *Station
	assets  string // the folder of the programs
	keys    string // the folder of keys, certificates and kubeconfigs
	ca      *authority
	etcd    *Process
	server  *Process
	start   func() (*Process, error)
}

// apiPort is the port of the Kubernetes API.
const apiPort = "6443"

// servicesCIDR is where the addresses of Services are; the API itself is at the first, apiService.
const servicesCIDR, apiService = "10.96.0.0/16", "10.96.0.1"

// StartControlPlane starts a control plane at the lab's server. See Station.StartControlPlane.
func (l *Lab) StartControlPlane(ctx context.Context, assets string) (*ControlPlane, error) {
	return l.ServerStation().StartControlPlane(ctx, assets)
}

// StartControlPlane starts etcd and kube-apiserver from the programs in the folder assets, which must hold kubectl too,
// and returns when the API says that it is ready.
func (s *Station) StartControlPlane(ctx context.Context, assets string) (*ControlPlane, error) {
	c, err := s.newControlPlane(assets)
	if err != nil {
		return nil, err
	}
	// Without the controllers that make service accounts this admission step would refuse every pod.
	return c, c.begin(ctx, "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount")
}

// newControlPlane makes what a control plane needs before it starts: its keys.
func (s *Station) newControlPlane(assets string) (*ControlPlane, error) {
	for _, program := range []string{"etcd", "kube-apiserver", "kubectl"} {
		if _, err := os.Stat(filepath.Join(assets, program)); err != nil {
			return nil, fmt.Errorf("control plane: %w: run hack/control-plane.sh, which prints a folder that holds it", err)
		}
	}
	ca, err := newAuthority()
	if err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	c := &ControlPlane{station: s, assets: assets, keys: filepath.Join(s.Dir, "keys"), ca: ca,
		Kubeconfig: filepath.Join(s.Dir, "kubeconfig"), URL: "https://" + net.JoinHostPort(s.Addr.String(), apiPort)}
	if err := c.writeKeys(); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	return c, nil
}

// begin starts etcd with an empty store and kube-apiserver with more arguments, and waits until the API is ready.
func (c *ControlPlane) begin(ctx context.Context, more ...string) (err error) {
	const etcdURL, peerURL = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	// A fresh store each time; a lab has nothing to keep.
	if err := os.RemoveAll(c.store()); err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	c.etcd, err = c.station.Start(Spec{Name: "etcd", Args: []string{filepath.Join(c.assets, "etcd"), "--data-dir=" + c.store(), "--unsafe-no-fsync",
		"--listen-client-urls=" + etcdURL, "--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL, "--initial-cluster=default=" + peerURL}})
	if err != nil {
		return err
	}
	address := c.station.Addr.String()
	args := append([]string{filepath.Join(c.assets, "kube-apiserver"), "--etcd-servers=" + etcdURL,
		"--bind-address=" + address, "--advertise-address=" + address, "--secure-port=" + apiPort,
		"--tls-cert-file=" + c.key("server.crt"), "--tls-private-key-file=" + c.key("server.key"), "--client-ca-file=" + c.key("ca.crt"),
		"--service-account-key-file=" + c.key("accounts.key"), "--service-account-signing-key-file=" + c.key("accounts.key"),
		"--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=" + servicesCIDR}, more...)
	c.start = func() (*Process, error) { return c.station.Start(Spec{Name: "kube-apiserver", Args: args}) }
	return c.StartAPI(ctx)
}

// store is the folder in which etcd keeps what it holds.
func (c *ControlPlane) store() string { return filepath.Join(c.station.Dir, "etcd") }

// key is the path of a file in the folder of keys.
func (c *ControlPlane) key(name string) string { return filepath.Join(c.keys, name) }

// writeKeys writes the server's certificate, the key that signs service accounts, and the administrator's kubeconfig.
func (c *ControlPlane) writeKeys() error {
	accounts, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	accountsKey, err := encodeKey(accounts)
	if err != nil {
		return err
	}
	return errors.Join(
		writePrivate(c.keys, map[string][]byte{"ca.crt": c.ca.PEM, "accounts.key": accountsKey}),
		c.writeCertificate("server", pkix.Name{CommonName: "kube-apiserver"},
			[]net.IP{c.station.Addr.AsSlice(), net.IPv4(127, 0, 0, 1), net.ParseIP(apiService)}, "localhost", "kubernetes.default.svc"),
		c.writeKubeconfig(c.Kubeconfig, pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}))
}

// writeCertificate issues a certificate and writes it and its key to NAME.crt and NAME.key in the folder of keys.
func (c *ControlPlane) writeCertificate(name string, subject pkix.Name, addresses []net.IP, names ...string) error {
	certificate, key, err := c.ca.issue(subject, addresses, names)
	if err != nil {
		return err
	}
	return writePrivate(c.keys, map[string][]byte{name + ".crt": certificate, name + ".key": key})
}

// writeKubeconfig writes a kubeconfig with a client certificate of subject.
func (c *ControlPlane) writeKubeconfig(path string, subject pkix.Name) error {
	certificate, key, err := c.ca.issue(subject, nil, nil)
	if err != nil {
		return err
	}
	user := clientcmd.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}
	config, err := yaml.Marshal(clientcmd.Config{
		APIVersion: "v1", Kind: "Config", CurrentContext: "lab",
		Clusters:  []clientcmd.NamedCluster{{Name: "lab", Cluster: clientcmd.Cluster{Server: c.URL, CertificateAuthorityData: c.ca.PEM}}},
		AuthInfos: []clientcmd.NamedAuthInfo{{Name: subject.CommonName, AuthInfo: user}},
		Contexts:  []clientcmd.NamedContext{{Name: "lab", Context: clientcmd.Context{Cluster: "lab", AuthInfo: subject.CommonName}}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, config, 0o600)
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
	return []string{filepath.Join(c.assets, "kubectl"), "--kubeconfig=" + c.Kubeconfig, "--cache-dir=" + filepath.Join(c.station.Dir, "kubectl-cache")}
}
