package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/tugboot/tugboot/api/tinkerbell/v1alpha1"
	"github.com/tugboot/tugboot/test/bench/contender"
	"github.com/tugboot/tugboot/test/bench/fleet"
	"github.com/tugboot/tugboot/test/bench/results"
	"github.com/tugboot/tugboot/test/lab"
)

// Where the Hardware is, and how many are created at once.
const (
	apiNamespace = "default"
	apiWriters   = 16
)

// apiTurn fills a Kubernetes API with Hardware, starts Tugboot beside it, and changes one object.
func apiTurn(ctx context.Context, s *site, o options, l *lab.Lab) (_ []results.Sample, err error) {
	station, err := l.StationAt(s.server, fleet.ServerInterface, fleet.Server)
	if err != nil {
		return nil, err
	}
	api, err := station.StartControlPlane(ctx, o.assets)
	if err != nil {
		return nil, err
	}
	defer api.Delete()
	definition := filepath.Join(o.root, "config", "crd", "bases", "tinkerbell.org_hardware.yaml")
	if _, err := api.Kubectl(ctx, nil, "apply", "--server-side", "--filename="+definition); err != nil {
		return nil, err
	}
	if _, err := api.Kubectl(ctx, nil, "wait", "--for=condition=Established", "--timeout=30s", "--filename="+definition); err != nil {
		return nil, err
	}
	client, err := api.Client()
	if err != nil {
		return nil, err
	}
	hardware := client.Resource(v1alpha1.GroupVersion.WithResource(v1alpha1.HardwareResource)).Namespace(apiNamespace)
	if err := fill(ctx, hardware, s.plan.api); err != nil {
		return nil, err
	}
	i, err := s.configure(contender.TugbootOf(api.Kubeconfig), s.plan.api)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.stop()) }()
	sample, err := i.started(ctx, s.plan.apiLimit)
	sample.Suite = "api"
	if err == nil {
		err = i.changedInAPI(ctx, hardware, sample.Values)
	}
	if err != nil {
		sample.Failed = i.trouble(err).Error()
	}
	return []results.Sample{sample}, nil
}

// fill creates the Hardware of so many machines.
func fill(ctx context.Context, hardware dynamic.ResourceInterface, machines int) error {
	var next atomic.Int64
	var running sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range apiWriters {
		running.Go(func() {
			for m := next.Add(1) - 1; m < int64(machines) && ctx.Err() == nil; m = next.Add(1) - 1 {
				if _, err := hardware.Create(ctx, object(fleet.Machine(m)), metav1.CreateOptions{}); err != nil {
					cancel(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// object is the Hardware of a machine, with what EKS Anywhere writes into one.
func object(m fleet.Machine) *unstructured.Unstructured {
	type fields = map[string]any
	ip := fields{"address": m.Address().String(), "netmask": fleet.Mask.String(), "gateway": fleet.Server.String(), "family": int64(4)}
	return &unstructured.Unstructured{Object: fields{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": v1alpha1.HardwareKind,
		"metadata": fields{"name": name(m), "labels": fields{"type": "worker"}},
		"spec": fields{
			"disks": []any{fields{"device": "/dev/sda"}},
			"interfaces": []any{fields{
				"dhcp": fields{"mac": m.MAC().String(), "hostname": name(m), "arch": "x86_64", "uefi": true, "lease_time": int64(86400),
					"name_servers": []any{fleet.Server.String()}, "ip": ip},
				"netboot": fields{"allowPXE": true, "allowWorkflow": true},
			}},
			"metadata": fields{"facility": fields{"facility_code": "onprem", "plan_slug": "c2.medium.x86"},
				"instance": fields{"id": m.MAC().String(), "hostname": name(m), "allow_pxe": true, "always_pxe": true,
					"operating_system": fields{}, "ips": []any{ip}}},
		},
	}}
}

func name(m fleet.Machine) string { return fmt.Sprintf("m%07d", m) }

// changedInAPI gives machine 0 another address while others ask, and adds the figures to values.
func (i *instance) changedInAPI(ctx context.Context, hardware dynamic.ResourceInterface, values map[string]float64) error {
	peak, err := peakRSS(i.process.PID())
	if err != nil {
		return err
	}
	values["peak_mib"] = peak
	var written time.Time
	seen, begun, err := i.watched(ctx, func() error {
		patch := fmt.Sprintf(`[{"op":"replace","path":"/spec/interfaces/0/dhcp/ip/address","value":%q}]`, fleet.Moved())
		_, err := hardware.Patch(ctx, name(0), types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
		written = time.Now()
		return err
	})
	if err != nil {
		return err
	}
	// A machine may be answered from what the API's watch said before the API has answered whoever wrote it.
	values["change_ms"] = milliseconds(seen.Right.Sub(begun))
	values["write_ms"] = milliseconds(written.Sub(begun))
	values["lost"], values["asked"], values["gap_ms"] = float64(seen.Others.Lost), float64(seen.Others.Started), milliseconds(seen.Gap)
	return nil
}

// peakRSS is the most memory that a process had resident so far, in MiB (VmHWM of proc(5)).
func peakRSS(pid int) (float64, error) {
	file, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("%s: no VmHWM", file.Name())
}
