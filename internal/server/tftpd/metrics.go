package tftpd

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests    *prometheus.CounterVec
	ignored     *prometheus.CounterVec
	sentBytes   prometheus.Counter
	retransmits prometheus.Counter
	evictions   prometheus.Counter
	kernelDrops prometheus.Counter
	panics      prometheus.Counter
	duration    prometheus.Histogram
}

// newMetrics registers the metrics; inProgress is asked for the number of running transfers.
func newMetrics(registerer prometheus.Registerer, inProgress func() float64) (*metrics, error) {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "tugboot", Subsystem: "tftp", Name: name, Help: help}
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(counter("requests_total",
			"Read and write requests that have ended, by the reason in which they ended."), []string{"reason"}),
		ignored: prometheus.NewCounterVec(counter("packets_ignored_total",
			"Packets that changed nothing, by the reason."), []string{"reason"}),
		sentBytes: prometheus.NewCounter(counter("sent_bytes_total",
			"UDP payload bytes sent, with headers and retransmissions.")),
		retransmits: prometheus.NewCounter(counter("retransmitted_packets_total",
			"Packets that were sent again.")),
		evictions: prometheus.NewCounter(counter("evicted_sessions_total",
			"Transfers ended for want of room before their client had answered.")),
		kernelDrops: prometheus.NewCounter(counter("kernel_dropped_total",
			"Packets that the kernel dropped because the receive buffer was full, as known when the last packet arrived.")),
		panics: prometheus.NewCounter(counter("panics_total",
			"Packets whose handling failed by a fault of this program.")),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "tugboot", Subsystem: "tftp",
			Name: "transfer_duration_seconds", Help: "Duration of the transfers that were completed, from the request to the last ACK.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10)}),
	}
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tugboot", Subsystem: "tftp",
		Name: "transfers_in_progress", Help: "Transfers that are running."}, inProgress)
	var failures []error
	for _, c := range []prometheus.Collector{m.requests, m.ignored, m.sentBytes, m.retransmits, m.evictions, m.kernelDrops, m.panics, m.duration, gauge} {
		failures = append(failures, registerer.Register(c))
	}
	return m, errors.Join(failures...)
}
