package dhcpd

import "github.com/prometheus/client_golang/prometheus"

// metrics of one server. Labels are words of package dhcp4 only, never anything a packet says.
type metrics struct {
	packets     *prometheus.CounterVec
	replies     *prometheus.CounterVec
	sendErrors  *prometheus.CounterVec
	panics      prometheus.Counter
	queueDrops  prometheus.Counter
	kernelDrops prometheus.Counter
	handling    prometheus.Histogram
	modes       *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "tugboot", Subsystem: "dhcp", Name: name, Help: help}
	}
	m := &metrics{
		packets: prometheus.NewCounterVec(counter("packets_total",
			"Packets received, by message type and by the reason they ended in."), []string{"type", "reason"}),
		replies: prometheus.NewCounterVec(counter("replies_total",
			"Replies sent, by message type and by delivery: relay, unicast, broadcast or link-layer."), []string{"type", "delivery"}),
		sendErrors: prometheus.NewCounterVec(counter("send_errors_total",
			"Replies that could not be sent, by delivery."), []string{"delivery"}),
		panics: prometheus.NewCounter(counter("panics_total",
			"Packets whose handling failed by a programming error; the log has them in hexadecimal.")),
		queueDrops: prometheus.NewCounter(counter("queue_dropped_total",
			"Packets dropped because newer ones needed their place in the backlog.")),
		kernelDrops: prometheus.NewCounter(counter("kernel_dropped_total",
			"Packets that the kernel dropped because the receive buffer was full, as known when the last packet arrived.")),
		handling: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "tugboot", Subsystem: "dhcp",
			Name: "handling_seconds", Help: "Time from receiving a packet to having sent its reply.",
			Buckets: prometheus.ExponentialBuckets(10e-6, 4, 9)}),
		modes: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "tugboot", Subsystem: "dhcp", Name: "mode",
			Help: "1 for the mode of each interface that is served: reservation, proxy, auto-proxy or off; the interface \"all\" is every one without a mode of its own."},
			[]string{"interface", "mode"}),
	}
	for _, c := range []prometheus.Collector{m.packets, m.replies, m.sendErrors, m.panics, m.queueDrops, m.kernelDrops, m.handling, m.modes} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
