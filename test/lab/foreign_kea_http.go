package lab

import (
	"context"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// KeaHTTP is how a Kea's control channel is reached over HTTP: with a name and password, and by TLS when it has a Certificate.
type KeaHTTP struct {
	Address, User, Password string
	Port                    int
	Certificate             *Certificate
	// ClientCertificate asks for one of the Certificate's authority.
	ClientCertificate bool
}

// Certificate is a server's, in files; CA is the authority's own, and Client and ClientKey are a client's of it, as PEM.
type Certificate struct {
	CA, Client, ClientKey     []byte
	caFile, certFile, keyFile string
}

// NewCertificate makes an authority and a certificate for an address, in a folder.
func NewCertificate(folder string, address net.IP) (*Certificate, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	cert, key, err := ca.issue(pkix.Name{CommonName: "kea"}, []net.IP{address}, nil)
	if err != nil {
		return nil, err
	}
	c := &Certificate{CA: ca.PEM, caFile: filepath.Join(folder, "ca.crt"), certFile: filepath.Join(folder, "kea.crt"), keyFile: filepath.Join(folder, "kea.key")}
	if c.Client, c.ClientKey, err = ca.issue(pkix.Name{CommonName: "tugboot"}, nil, nil); err != nil {
		return nil, err
	}
	return c, writePrivate(folder, map[string][]byte{"ca.crt": ca.PEM, "kea.crt": cert, "kea.key": key})
}

// Files are the paths of the authority's certificate, the server's and its key.
func (c *Certificate) Files() (ca, cert, key string) { return c.caFile, c.certFile, c.keyFile }

// members are those of Kea's configuration that say who may connect.
func (h KeaHTTP) members() map[string]any {
	m := map[string]any{"authentication": map[string]any{
		"type": "basic", "realm": "lab", "clients": []any{map[string]any{"user": h.User, "password": h.Password}},
	}}
	if h.Certificate != nil {
		m["trust-anchor"], m["cert-file"], m["key-file"] = h.Certificate.caFile, h.Certificate.certFile, h.Certificate.keyFile
		m["cert-required"] = h.ClientCertificate
	}
	return m
}

// KeaOperatorHTTP is KeaOperator's configuration for a Kea of 2.7.2 or later that takes commands over HTTP itself.
func (f *Foreign) KeaOperatorHTTP(h KeaHTTP, more string) (string, error) {
	socket := h.members()
	socket["socket-type"], socket["socket-address"], socket["socket-port"] = "http", h.Address, h.Port
	if h.Certificate != nil {
		socket["socket-type"] = "https"
	}
	text, err := json.Marshal([]any{map[string]any{"socket-type": "unix", "socket-name": f.Socket}, socket})
	if err != nil {
		return "", err
	}
	return f.keaServing("", fmt.Sprintf(`"control-sockets": %s`, text), more), nil
}

// StartControlAgent starts Debian's kea-ctrl-agent beside a Kea, as versions before 2.7.2 need to be reached over HTTP, and
// returns when it listens.
func (f *Foreign) StartControlAgent(ctx context.Context, h KeaHTTP) (*Process, error) {
	members := h.members()
	members["http-host"], members["http-port"] = h.Address, h.Port
	members["control-sockets"] = map[string]any{"dhcp4": map[string]any{"socket-type": "unix", "socket-name": f.Socket}}
	members["loggers"] = []any{map[string]any{"name": "kea-ctrl-agent", "severity": "INFO", "output_options": []any{map[string]any{"output": "stdout"}}}}
	text, err := json.Marshal(map[string]any{"Control-agent": members})
	if err != nil {
		return nil, err
	}
	config, program := f.path("agent.conf"), f.path("kea-ctrl-agent")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return nil, fmt.Errorf("kea-ctrl-agent: %w", err)
	}
	// A copy, as of the daemon: AppArmor knows the program by its path.
	if _, err := f.place.Run(ctx, nil, "cp", "/usr/sbin/kea-ctrl-agent", program); err != nil {
		return nil, fmt.Errorf("kea-ctrl-agent: %w: apt-get install kea-ctrl-agent", err)
	}
	p, err := f.place.Start(Spec{Name: f.name + "-agent", Args: []string{program, "-c", config}, Env: Kea.environment(f.Dir)})
	if err != nil {
		return nil, err
	}
	return p, waitLogged(ctx, p, "CTRL_AGENT_STARTED")
}

// waitLogged waits until a process has logged a text.
func waitLogged(ctx context.Context, p *Process, text string) error {
	agent := &Foreign{Daemon: Daemon{Name: p.Name}, process: p}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return agent.Logs(ctx, text, 1)
}
