package hardwarefile

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	problems, reservations, lastSuccess prometheus.Gauge
	reloads                             *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (metrics, error) {
	m := metrics{
		problems: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_hardware_file_problems",
			Help: "Problems in the hardware files as they are now: with files, with machines in them, and conflicts between machines.",
		}),
		reservations: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_hardware_file_reservations",
			Help: "Reservations from hardware files that are in force.",
		}),
		lastSuccess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_hardware_file_last_success_timestamp_seconds",
			Help: "When a hardware file was last read anew with nothing wrong in it, in seconds since 1970.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tugboot_hardware_file_reloads_total",
			Help: "New content of hardware files, by result: success is in force, failure changed nothing or only what was right in it.",
		}, []string{"result"}),
	}
	for _, result := range []string{"success", "failure"} {
		m.reloads.WithLabelValues(result)
	}
	for _, c := range []prometheus.Collector{m.problems, m.reservations, m.lastSuccess, m.reloads} {
		if err := registerer.Register(c); err != nil {
			return metrics{}, fmt.Errorf("register the metrics of hardware files: %w", err)
		}
	}
	return m, nil
}
