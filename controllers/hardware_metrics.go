package controllers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/inventory"
)

type hardwareMetrics struct {
	objects, moved, reservations, connected, published prometheus.Gauge
	problems                                           *prometheus.GaugeVec
	build                                              prometheus.Histogram
	reasons                                            map[string]bool // the labels in use
}

func newHardwareMetrics(registerer prometheus.Registerer, lastHeard func() time.Time) (*hardwareMetrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &hardwareMetrics{
		objects:      gauge("tugboot_hardware_objects", "Hardware objects known, those with problems included."),
		moved:        gauge("tugboot_hardware_moved", "Hardware objects that Cluster API has moved to another cluster and whose machines are served on."),
		reservations: gauge("tugboot_reservations", "Reservations in the snapshot of the cluster's Hardware."),
		connected:    gauge("tugboot_hardware_api_connected", "1 while the Kubernetes API lets Hardware be watched, 0 while it does not and the last snapshot is served."),
		published:    gauge("tugboot_snapshot_published_timestamp_seconds", "When the snapshot that is served was published, in Unix seconds; 0 before the first."),
		problems: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_hardware_problems", Help: "Problems in Hardware objects now, by reason.",
		}, []string{"reason"}),
		build: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tugboot_snapshot_build_seconds", Help: "Time to build and publish a snapshot.",
			Buckets: []float64{.0001, .001, .005, .01, .05, .1, .25, .5, 1, 2.5},
		}),
		reasons: map[string]bool{},
	}
	synced := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tugboot_hardware_last_sync_timestamp_seconds",
		Help: "When the Kubernetes API was heard of last on Hardware, in Unix seconds; 0 before the first time. It is heard of about every minute.",
	}, func() float64 { return seconds(lastHeard()) })
	for _, c := range []prometheus.Collector{m.objects, m.moved, m.reservations, m.connected, m.published, m.problems, m.build, synced} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe records one publication.
func (m *hardwareMetrics) observe(s state, snapshot *inventory.Snapshot, current problemSet, at time.Time, took time.Duration) {
	m.objects.Set(float64(s.objects))
	m.moved.Set(float64(s.moved))
	m.reservations.Set(float64(snapshot.Len()))
	m.published.Set(seconds(at))
	m.build.Observe(took.Seconds())
	counts := map[string]int{}
	for reason := range m.reasons {
		counts[reason] = 0 // what is gone reads 0, and does not vanish
	}
	for p := range current {
		counts[p.Reason]++
	}
	for reason, n := range counts {
		m.reasons[reason] = true
		m.problems.WithLabelValues(reason).Set(float64(n))
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
