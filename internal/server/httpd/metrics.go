package httpd

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// kind is what a request was for, as metrics tell it.
type kind string

const (
	kindScript kind = "script"
	kindBinary kind = "binary"
	kindImage  kind = "image"
	kindHealth kind = "healthcheck"
	kindNone   kind = "none" // refused before anything was looked for
)

type metrics struct {
	requests    *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	connections prometheus.Gauge
	refused     *prometheus.CounterVec
	panics      prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tugboot_http_requests_total",
			Help: "HTTP requests by kind (script, binary, image, healthcheck, none), status code and reason."}, []string{"kind", "code", "reason"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tugboot_http_sent_bytes_total",
			Help: "Bytes of HTTP response bodies sent, by kind."}, []string{"kind"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tugboot_http_request_duration_seconds",
			Help:    "Time from a request's header to the last byte of its answer, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10)}, []string{"kind"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tugboot_http_requests_in_flight",
			Help: "HTTP requests that are being answered."}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tugboot_http_connections",
			Help: "HTTP connections that are open."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tugboot_http_refused_connections_total",
			Help: "HTTP connections that were closed without an answer, by reason."}, []string{"reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "tugboot_http_panics_total",
			Help: "HTTP requests whose handling panicked; each is a fault of this program."}),
	}
	return m, errors.Join(r.Register(m.requests), r.Register(m.bytes), r.Register(m.duration), r.Register(m.inFlight),
		r.Register(m.connections), r.Register(m.refused), r.Register(m.panics))
}

func (m *metrics) observe(o *outcome, took time.Duration) {
	m.requests.WithLabelValues(string(o.kind), strconv.Itoa(o.code), string(o.reason)).Inc()
	m.bytes.WithLabelValues(string(o.kind)).Add(float64(o.sent))
	m.duration.WithLabelValues(string(o.kind)).Observe(took.Seconds())
}

func (m *metrics) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		m.connections.Inc()
	case http.StateClosed, http.StateHijacked:
		m.connections.Dec()
	case http.StateActive, http.StateIdle:
	}
}
