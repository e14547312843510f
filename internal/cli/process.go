package cli

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/tugboot/tugboot/internal/cli/options"
	"github.com/tugboot/tugboot/internal/server/bind"
)

// stopGrace is how much longer than the transfers the process itself may take to stop.
const stopGrace = 5 * time.Second

// errNoSnapshot keeps /readyz from saying ok.
var errNoSnapshot = errors.New("no snapshot of Hardware yet")

// newProcess returns the manager that runs the stack, its metrics, timeline and health listeners.
func newProcess(o *options.Serve, s *stack, library logr.Logger) (manager.Manager, error) {
	stop := o.Process.DrainTimeout + stopGrace
	// The manager runs and stops things; its own client is never used, so it needs no address of an API.
	m, err := ctrl.NewManager(&rest.Config{}, ctrl.Options{
		Scheme: runtime.NewScheme(),
		Logger: library.WithName("process"),
		Metrics: metricsserver.Options{
			BindAddress:   orZero(o.Process.MetricsAddress),
			ExtraHandlers: map[string]http.Handler{timelinePath: timelineHandler(s.journal)},
		},
		HealthProbeBindAddress:  orZero(o.Process.HealthAddress),
		GracefulShutdownTimeout: &stop,
	})
	if err != nil {
		return nil, fmt.Errorf("--metrics-bind-address %s, --health-probe-bind-address %s: %w", o.Process.MetricsAddress, o.Process.HealthAddress, err)
	}
	var problems []error
	for _, r := range s.source.runnables {
		problems = append(problems, m.Add(r))
	}
	for _, r := range s.servers {
		problems = append(problems, m.Add(r))
	}
	problems = append(problems, m.AddHealthzCheck("alive", healthz.Ping), m.AddReadyzCheck("snapshot", func(*http.Request) error {
		if !s.source.ready() {
			return errNoSnapshot
		}
		return nil
	}))
	if s.dhcp != nil {
		problems = append(problems, m.AddReadyzCheck("dhcp-"+strings.ReplaceAll(o.DHCP.Modes.String(), ", ", "+"), func(*http.Request) error {
			return s.dhcp.Serving()
		}))
	}
	return m, errors.Join(problems...)
}

// operationsFree reports everything that keeps the metrics and health listeners from their addresses. The manager takes
// these itself, one of them only once all else runs, which is late to fail, and its errors name no culprit.
func operationsFree(o *options.Process) error {
	var problems []error
	for _, l := range []struct{ server, address string }{{"metrics", o.MetricsAddress}, {"health", o.HealthAddress}} {
		if l.address == options.Off {
			continue
		}
		at, err := options.ParseAddrPort(l.address)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %q: %w", l.server, l.address, err))
			continue
		}
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			problems = append(problems, bind.Error(l.server, "tcp", at.Addr().String(), at.Port(), err))
			continue
		}
		problems = append(problems, listener.Close())
	}
	return errors.Join(problems...)
}

// orZero turns "off" into the "0" by which controller-runtime knows a listener that is off.
func orZero(address string) string {
	if address == options.Off {
		return "0"
	}
	return address
}
