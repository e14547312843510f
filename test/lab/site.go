package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	tinkerbell "github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
)

// Parts are the files that a site is made of; hack/ and the Makefile make them.
type Parts struct {
	// Assets is the folder with etcd, kube-apiserver and kubectl.
	Assets string
	// Tugboot is Tugboot's program.
	Tugboot string
	// IPXE is the folder with the iPXE binaries, OS the one with vmlinuz-ARCH and initramfs-ARCH.
	IPXE, OS string
	// CRD is the file or folder with the CustomResourceDefinition of Hardware.
	CRD string
	// StandIns is the folder with the CustomResourceDefinitions that stand in for EKS Anywhere's, Cluster API's and the
	// rest of Tinkerbell's; a Creation needs them.
	StandIns string
	// Hardware is the hardware.csv whose machines are made known; empty for none.
	Hardware string
}

// PartsIn returns where the Makefile puts the parts below the checkout at root. assets is not below it.
func PartsIn(root, assets string) Parts {
	return Parts{Assets: assets, Tugboot: filepath.Join(root, "bin", "tugboot"),
		IPXE: filepath.Join(root, "build", "ipxe"), OS: filepath.Join(root, "build", "lab-os"),
		CRD: filepath.Join(root, "config", "crd", "bases"), StandIns: filepath.Join(root, "test", "testdata", "crds"),
		Hardware: filepath.Join(root, "examples", "hardware.csv")}
}

// Site is a whole site: the LAN, a Kubernetes API with Hardware in it, a file server with kernel and initrd, and
// Tugboot serving them.
type Site struct {
	*Lab
	API     *ControlPlane
	Files   *FileServer
	Tugboot *Tugboot
}

// Watch is told how things go; its functions may be nil and must not block.
type Watch struct {
	// Step is called when a step begins or ends, with its name and one line about it.
	Step func(name, text string)
	// Fetch is called for each file that a machine fetched from the file server.
	Fetch func(Fetch)
}

func (w Watch) step(name, format string, args ...any) {
	if w.Step != nil {
		w.Step(name, fmt.Sprintf(format, args...))
	}
}

// ErrStopped is what StartSite fails with when its context ended, and everything is removed.
var ErrStopped = errors.New("stopped before the site was complete")

// StartSite makes a site. When it fails, everything is removed again. See New for name and dir.
func StartSite(ctx context.Context, name, dir string, p Parts, w Watch) (*Site, error) {
	l, err := New(ctx, name, dir)
	if err != nil {
		return nil, err
	}
	w.step("lab", "server %s in %s, LAN in %s", ServerAddr, l.Server.Name, l.LAN.Name)
	l.PXEROM = filepath.Join(p.IPXE, "ipxe.lkrn")
	s := &Site{Lab: l}
	if err := s.start(ctx, p, w); err != nil {
		closing := l.Close()
		if ctx.Err() != nil && closing == nil {
			return nil, ErrStopped // what err says was broken off is no trouble of its own
		}
		return nil, errors.Join(err, closing)
	}
	return s, nil
}

func (s *Site) start(ctx context.Context, p Parts, w Watch) (err error) {
	w.step("api", "starting etcd and kube-apiserver")
	if s.API, err = s.StartControlPlane(ctx, p.Assets); err != nil {
		return err
	}
	w.step("api", "ready at %s", s.API.URL)
	installed, err := s.installCRD(ctx, p.CRD)
	if err != nil {
		return err
	}
	w.step("hardware", "%s", installed)
	if p.Hardware != "" {
		applied, err := s.applyCSV(ctx, p.Tugboot, p.Hardware)
		if err != nil {
			return err
		}
		w.step("hardware", "%d objects from %s applied with kubectl", applied, filepath.Base(p.Hardware))
	}
	if s.Files, err = s.ServeFiles(p.OS, w.Fetch); err != nil {
		return err
	}
	w.step("files", "kernel and initrd at %s", s.Files.URL)
	s.Tugboot, err = s.StartTugboot(ctx, "tugboot", TugbootArgs(p.Tugboot, p.IPXE, s.Files.URL, "--kubeconfig="+s.API.Kubeconfig))
	if err != nil {
		return err
	}
	w.step("tugboot", "serves DHCP, TFTP, HTTP and syslog; log %s", s.Tugboot.Log)
	return nil
}

const hardwareCRD = "hardware.tinkerbell.org"

// installCRD installs the CustomResourceDefinition unless there is one: Tinkerbell's own must not be overwritten.
func (s *Site) installCRD(ctx context.Context, path string) (string, error) {
	found, err := s.API.Kubectl(ctx, nil, "get", "crd", "--output=name")
	if err != nil {
		return "", err
	}
	if strings.Contains(string(found), "/"+hardwareCRD+"\n") {
		return "the CRD is there already", nil
	}
	if _, err := s.API.Kubectl(ctx, nil, "apply", "--server-side", "--filename="+path); err != nil {
		return "", err
	}
	if _, err := s.API.Kubectl(ctx, nil, "wait", "--for=condition=Established", "--timeout=30s", "crd/"+hardwareCRD); err != nil {
		return "", err
	}
	return "the CRD " + hardwareCRD + " is installed", nil
}

// KubernetesNamespace is the namespace of the Hardware objects, that of EKS Anywhere.
const KubernetesNamespace = "eksa-system"

// applyCSV turns a hardware.csv into objects with Tugboot's own command and applies them with kubectl.
func (s *Site) applyCSV(ctx context.Context, program, csv string) (int, error) {
	objects, err := s.Server.Run(ctx, nil, program, "hardware", csv)
	if err != nil {
		return 0, err
	}
	if _, err := s.API.Kubectl(ctx, nil, "create", "namespace", KubernetesNamespace); err != nil {
		return 0, err
	}
	out, err := s.API.Kubectl(ctx, bytes.NewReader(objects), "apply", "--filename=-")
	return bytes.Count(out, []byte("\n")), err
}

// Hardware returns the Hardware objects that the API holds.
func (s *Site) Hardware(ctx context.Context) ([]tinkerbell.Hardware, error) {
	text, err := s.API.Kubectl(ctx, nil, "get", hardwareCRD, "--all-namespaces", "--output=json")
	if err != nil {
		return nil, err
	}
	var list tinkerbell.HardwareList
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("kubectl get hardware: %w", err)
	}
	return list.Items, nil
}
