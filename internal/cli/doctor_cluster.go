package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/doctor"
	"github.com/tugboot/tugboot/internal/hardwarefile"
	"github.com/tugboot/tugboot/internal/inventory"
	"github.com/tugboot/tugboot/internal/reservation"
)

// lookAtCluster looks at everything that comes from Kubernetes or in its place, notes it in f, and returns the Hardware.
func lookAtCluster(ctx context.Context, o *options.Serve, f *doctor.Facts) []*inventory.Snapshot {
	var all []*inventory.Snapshot
	if o.Source.Cluster() {
		config, err := restConfig(o.Source.Kubeconfig)
		if err != nil {
			f.API.Unusable = troubleOf(err)
		} else if lookAtAPI(ctx, o, boundedConfig(config), &f.API); f.API.Away.What == "" {
			s, snapshot := lookAtClusterHardware(ctx, boundedConfig(config), o.Source.Namespaces)
			f.Hardware.Sources, all = append(f.Hardware.Sources, s), append(all, snapshot)
		}
	}
	if o.Source.Hardware != "" {
		s, snapshot := lookAtFileHardware(o.Source.Hardware)
		f.Hardware.Sources, all = append(f.Hardware.Sources, s), append(all, snapshot)
	}
	return all
}

// boundedConfig is the configuration for one that asks much in a short time and then no more.
func boundedConfig(config *rest.Config) *rest.Config {
	c := rest.CopyConfig(config)
	c.Timeout, c.QPS, c.UserAgent, c.WarningHandler = doctorAPITimeout, -1, "tugboot", rest.NoWarnings{}
	return c
}

// lookAtManagement looks whether the management cluster answers, if it is there yet.
func lookAtManagement(ctx context.Context, file string) *doctor.Management {
	m := &doctor.Management{File: file}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		m.Later = true
		return m
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		m.Away = oneLine(err)
		return m
	}
	a, err := newDoctorAPI(boundedConfig(config))
	if err == nil {
		m.Server = config.Host
		m.Version, err = a.version(ctx)
	}
	if err != nil {
		m.Away = awayFrom(err).What
	}
	return m
}

// counted is a source with what its snapshot holds.
func counted(name string, snapshot *inventory.Snapshot, problems []reservation.Problem) doctor.Source {
	s := doctor.Source{Name: name, Reservations: snapshot.Len(), Problems: problems}
	for r := range snapshot.All() {
		if r.Netboot.Allow {
			s.Netboot++
		}
	}
	return s
}

// lookAtClusterHardware lists the Hardware as serve does. The snapshot is empty where that fails.
func lookAtClusterHardware(ctx context.Context, config *rest.Config, namespaces []string) (doctor.Source, *inventory.Snapshot) {
	const name = "the cluster's Hardware"
	var problems []reservation.Problem
	snapshot, err := clusterHardware(ctx, func(p reservation.Problem) { problems = append(problems, p) }, config, namespaces)
	if err != nil {
		t := troubleOf(err)
		return doctor.Source{Name: name, Failed: t}, inventory.New(nil)
	}
	return counted(name, snapshot, problems), snapshot
}

// lookAtFileHardware reads the files as serve does at its start.
func lookAtFileHardware(path string) (doctor.Source, *inventory.Snapshot) {
	name := fmt.Sprintf("--hardware %s", printableName(path))
	store := inventory.NewStore()
	var problems []reservation.Problem
	follower, err := hardwarefile.New(hardwarefile.Options{
		Path: path, Store: store, Registerer: prometheus.NewRegistry(),
		Report: func(p reservation.Problem) { problems = append(problems, p) },
	})
	if err == nil {
		err = follower.Load()
	}
	if err != nil {
		t := doctor.Trouble{What: oneLine(err), Remedy: "correct it: nothing is served from it until then"}
		return doctor.Source{Name: name, Failed: t, Fatal: true}, inventory.New(nil)
	}
	return counted(name, store.Load(), problems), store.Load()
}
