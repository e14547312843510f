package controllers

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tugboot/tugboot/internal/takeover"
)

// takeoverMetrics show the takeover as the replica that leads it sees it.
type takeoverMetrics struct {
	phase      *prometheus.GaugeVec
	advertised *prometheus.GaugeVec
	gate       *prometheus.GaugeVec
	epoch      prometheus.Gauge
	inFlight   prometheus.Gauge
	leading    prometheus.Gauge
	failures   *prometheus.CounterVec
	probe      *prometheus.HistogramVec
}

func newTakeoverMetrics(registerer prometheus.Registerer) (*takeoverMetrics, error) {
	m := &takeoverMetrics{
		phase: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_takeover_phase", Help: "1 for the phase that the takeover is in, 0 for the others; on the leader.",
		}, []string{"phase"}),
		advertised: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_advertised_next_server_info", Help: "1 for what machines are told: next-server and the script's URL.",
		}, []string{"next_server", "script_url"}),
		gate: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_takeover_gate_open", Help: "1 for a gate that is open or not asked, 0 for one that the takeover waits for; on the leader.",
		}, []string{"gate"}),
		epoch: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_takeover_epoch", Help: "Changes of the advertised address in the story of this cluster, as the fence counts them.",
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_machines_in_flight", Help: "Machines in the middle of a network boot, as this replica sees them.",
		}),
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tugboot_leader", Help: "1 on the replica that writes what the takeover and existing DHCP services need.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tugboot_takeover_write_failures_total", Help: "Writes that failed, by what was written: baton, status, or a DHCP service's name.",
		}, []string{"what"}),
		probe: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tugboot_probe_duration_seconds", Help: "How long probes of the two stacks took, by probe and whether the answer was the right one.",
			Buckets: []float64{.001, .005, .02, .1, .5, 1, 3, 10, 30},
		}, []string{"probe", "result"}),
	}
	var problems []error
	for _, c := range []prometheus.Collector{m.phase, m.advertised, m.gate, m.epoch, m.inFlight, m.leading, m.failures, m.probe} {
		problems = append(problems, registerer.Register(c))
	}
	return m, errors.Join(problems...)
}

// probed takes note of one probe.
func (m *takeoverMetrics) probed(kind string, took time.Duration, err error) {
	result := "ok"
	if err != nil {
		result = "failed"
	}
	m.probe.WithLabelValues(kind, result).Observe(took.Seconds())
}

// stepped shows what the last step came to.
func (m *takeoverMetrics) stepped(step takeover.Step) {
	for _, p := range takeover.Phases() {
		m.phase.WithLabelValues(p.String()).Set(truth(p == step.Phase))
	}
	for _, f := range step.Findings {
		m.gate.WithLabelValues(f.Gate).Set(truth(f.State == takeover.Open || f.State == takeover.Skipped))
	}
}

// advertises shows what machines are told.
func (m *takeoverMetrics) advertises(e takeover.Endpoint, epoch int64) {
	m.advertised.Reset()
	if e.Addr.IsValid() {
		m.advertised.WithLabelValues(e.Addr.String(), e.ScriptURL()).Set(1)
	}
	m.epoch.Set(float64(epoch))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
