package events

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	written, existing, refused, dropped, repeated, logged, retries prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer, waiting func() float64) (*metrics, error) {
	results := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tugboot_events_total",
		Help: "Problems reported, by what became of their Event: written, existing (another replica or an earlier start wrote it), " +
			"refused (by the API), logged (there is no object to put it on), dropped (the queue was full), repeated (reported within the last ten minutes).",
	}, []string{"result"})
	retries := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tugboot_events_retries_total", Help: "Attempts to write an Event that failed and were repeated, because the API was away.",
	})
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tugboot_events_waiting", Help: "Events that wait to be written.",
	}, waiting)
	for _, c := range []prometheus.Collector{results, retries, queue} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return &metrics{
		written:  results.WithLabelValues("written"),
		existing: results.WithLabelValues("existing"),
		refused:  results.WithLabelValues("refused"),
		logged:   results.WithLabelValues("logged"),
		dropped:  results.WithLabelValues("dropped"),
		repeated: results.WithLabelValues("repeated"),
		retries:  retries,
	}, nil
}
