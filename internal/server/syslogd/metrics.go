package syslogd

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	messages    *prometheus.CounterVec
	connections prometheus.Gauge
	queued      prometheus.GaugeFunc
	kernelDrops prometheus.Counter
	panics      prometheus.Counter
}

func newMetrics(r prometheus.Registerer, queued func() int) (*metrics, error) {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tugboot_syslog_messages_total",
			Help: "Syslog messages by transport (udp, tcp) and reason; every reason but Received is a message that was dropped."},
			[]string{"transport", "reason"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tugboot_syslog_connections",
			Help: "Syslog TCP connections that are open."}),
		queued: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tugboot_syslog_queued_messages",
			Help: "Syslog messages that wait to be written."}, func() float64 { return float64(queued()) }),
		kernelDrops: prometheus.NewCounter(prometheus.CounterOpts{Name: "tugboot_syslog_kernel_dropped_total",
			Help: "Syslog datagrams that the kernel dropped because the receive buffer was full, as known when the last one arrived."}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "tugboot_syslog_panics_total",
			Help: "Syslog messages whose handling panicked; each is a fault of this program."}),
	}
	return m, errors.Join(r.Register(m.messages), r.Register(m.connections), r.Register(m.queued), r.Register(m.kernelDrops), r.Register(m.panics))
}
