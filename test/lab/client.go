package lab

import (
	"context"
	"fmt"
	"net"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Client returns a client of the API, as administrator, that connects from inside the station's namespace.
func (c *ControlPlane) Client() (dynamic.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.URL, err)
	}
	config.QPS = -1                           // no limit: nobody else uses this API
	config.WarningHandler = rest.NoWarnings{} // finalizers have the names that upstream gave them
	var dialer net.Dialer
	config.Dial = func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		err = c.station.Do(func() (err error) {
			conn, err = dialer.DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.URL, err)
	}
	return client, nil
}
