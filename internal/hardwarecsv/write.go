package hardwarecsv

import (
	"bytes"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// The BMC objects of bmc.tinkerbell.org/v1alpha1, as far as they are written.
const (
	machineKind = "Machine"
	bmcVersion  = "bmc.tinkerbell.org/v1alpha1"
	// moveLabel takes an object along when Cluster API moves a cluster to its management cluster.
	moveLabel = "clusterctl.cluster.x-k8s.io/move"
)

func machineName(hostname string) string { return "bmc-" + hostname }

func secretName(hostname string) string { return machineName(hostname) + "-auth" }

// identity is the part of an object's metadata that is written here.
type identity struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels,omitempty"`
}

type machine struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Metadata   identity    `json:"metadata"`
	Spec       machineSpec `json:"spec"`
}

type machineSpec struct {
	Connection connection `json:"connection"`
}

type connection struct {
	Host string `json:"host"`
	// Port is written although it is 0: the schema would make 623 of nothing.
	Port          int      `json:"port"`
	InsecureTLS   bool     `json:"insecureTLS"`
	AuthSecretRef identity `json:"authSecretRef"`
}

// secret exists only while it is written: it holds the password as it is.
type secret struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   identity          `json:"metadata"`
	Type       string            `json:"type"`
	Data       map[string][]byte `json:"data"`
}

// Write writes the objects as YAML documents: of each machine the Hardware and, with a BMC, its Machine and its Secret,
// which holds the password. The same objects always give the same bytes. Nothing is written when an object cannot be.
func Write(w io.Writer, objects []Objects) error {
	var out bytes.Buffer
	for _, o := range objects {
		for _, document := range o.documents() {
			text, err := yaml.Marshal(document)
			if err != nil {
				return fmt.Errorf("hardware %s/%s: cannot be written as YAML: %w", o.Hardware.Namespace, o.Hardware.Name, err)
			}
			out.WriteString("---\n")
			out.Write(text)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (o Objects) documents() []any {
	if o.BMC == nil {
		return []any{o.Hardware}
	}
	hostname, namespace := o.Hardware.Name, o.Hardware.Namespace
	return []any{
		o.Hardware,
		machine{
			APIVersion: bmcVersion, Kind: machineKind,
			Metadata: identity{Name: machineName(hostname), Namespace: namespace},
			Spec: machineSpec{Connection: connection{
				Host: o.BMC.Address.String(), InsecureTLS: true,
				AuthSecretRef: identity{Name: secretName(hostname), Namespace: namespace},
			}},
		},
		secret{
			APIVersion: "v1", Kind: "Secret",
			Metadata: identity{Name: secretName(hostname), Namespace: namespace, Labels: map[string]string{moveLabel: "true"}},
			Type:     "kubernetes.io/basic-auth",
			Data:     map[string][]byte{"username": []byte(o.BMC.Username), "password": []byte(o.BMC.Password.reveal())},
		},
	}
}
