package controllers

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// dhcpServiceMetrics show the existing DHCP services as the leader sees them.
type dhcpServiceMetrics struct {
	ready        *prometheus.GaugeVec
	reservations *prometheus.GaugeVec
	applies      *prometheus.CounterVec
}

func newDHCPServiceMetrics(registerer prometheus.Registerer) (*dhcpServiceMetrics, error) {
	service := []string{"namespace", "name"}
	m := &dhcpServiceMetrics{
		ready: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_dhcpservice_ready", Help: "1 for an existing DHCP service that says what it should say; on the leader.",
		}, service),
		reservations: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tugboot_dhcpservice_reservations", Help: "Reservations of ours that stand in an existing DHCP service; on the leader.",
		}, service),
		applies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tugboot_dhcpservice_applies_total", Help: "Times that an existing DHCP service was to be written, by how far that came: Done when all went well.",
		}, []string{"namespace", "name", "stage"}),
	}
	return m, errors.Join(registerer.Register(m.ready), registerer.Register(m.reservations), registerer.Register(m.applies))
}

// forget ends the series of a service that is not worked on any more.
func (m *dhcpServiceMetrics) forget(namespace, name string) {
	for _, vector := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.ready, m.reservations, m.applies} {
		vector.DeletePartialMatch(prometheus.Labels{"namespace": namespace, "name": name})
	}
}
