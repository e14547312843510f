package httpd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
)

// maxPEM is the size of the largest certificate or key file that is read, in bytes.
const maxPEM = 1 << 20

// certificate is the pair of files that HTTPS is served with. What is in force is the last pair that was good.
type certificate struct {
	certFile, keyFile string
	log               logr.Logger
	inForce           atomic.Pointer[tls.Certificate]

	loads   *prometheus.CounterVec
	expires prometheus.Gauge

	// Of the watcher alone: what the files held, or why they could not be read, when they were looked at last, and
	// whether that was acted upon.
	seen   []byte
	judged bool
}

// newCertificate reads the files, which must hold a pair.
func newCertificate(certFile, keyFile string, r prometheus.Registerer, log logr.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log,
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tugboot_https_certificate_loads_total",
			Help: "Changes of the files of the HTTPS certificate, by result: loaded, or refused, with the last good pair still served."}, []string{"result"}),
		expires: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tugboot_https_certificate_expiry_timestamp_seconds",
			Help: "When the HTTPS certificate that is served ends, in Unix seconds."})}
	if err := errors.Join(r.Register(c.loads), r.Register(c.expires)); err != nil {
		return nil, fmt.Errorf("HTTPS: register metrics: %w", err)
	}
	certPEM, keyPEM, err := c.read()
	if err == nil {
		err = c.use(certPEM, keyPEM)
	}
	if err != nil {
		return nil, fmt.Errorf("HTTPS: certificate %q and key %q: %w: name two PEM files that belong together", certFile, keyFile, err)
	}
	c.seen, c.judged = content(certPEM, keyPEM, nil), true
	return c, nil
}

func (c *certificate) read() (certPEM, keyPEM []byte, err error) {
	certPEM, err = readPEM(c.certFile)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err = readPEM(c.keyFile)
	return certPEM, keyPEM, err
}

func readPEM(file string) ([]byte, error) {
	stat, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !stat.Mode().IsRegular() || stat.Size() > maxPEM:
		return nil, fmt.Errorf("%s: not a regular file of at most %d bytes", file, maxPEM)
	}
	return os.ReadFile(file)
}

// use puts a pair in force.
func (c *certificate) use(certPEM, keyPEM []byte) error {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return err
	}
	c.inForce.Store(&pair)
	c.expires.Set(float64(pair.Leaf.NotAfter.Unix()))
	c.loads.WithLabelValues("loaded").Inc()
	c.log.Info("the HTTPS certificate is in force", "file", c.certFile, "serial", pair.Leaf.SerialNumber.Text(16),
		"notAfter", pair.Leaf.NotAfter.UTC().Format(time.RFC3339), "expired", time.Now().After(pair.Leaf.NotAfter))
	return nil
}

// content tells what was seen from what is seen next.
func content(certPEM, keyPEM []byte, err error) []byte {
	if err != nil {
		return []byte("error " + err.Error())
	}
	return bytes.Join([][]byte{certPEM, keyPEM}, []byte{0})
}

// check looks at the files. A new pair that is good counts at once; what is wrong is refused when it is seen for the second
// time, because of two files that are replaced one after the other neither fits the other for a moment.
func (c *certificate) check() {
	certPEM, keyPEM, err := c.read()
	seen := content(certPEM, keyPEM, err)
	again := bytes.Equal(seen, c.seen)
	if again && c.judged {
		return
	}
	c.seen, c.judged = seen, false
	if err == nil {
		err = c.use(certPEM, keyPEM)
	}
	if err != nil && !again {
		return
	}
	c.judged = true
	if err != nil {
		c.loads.WithLabelValues("refused").Inc()
		c.log.Error(err, "the HTTPS certificate's files changed and are no pair: the last good one is served: correct them",
			"certFile", c.certFile, "keyFile", c.keyFile, "servedUntil", c.inForce.Load().Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

// watch follows the files until ctx ends.
func (c *certificate) watch(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.check()
		}
	}
}

// config is for a listener. iPXE speaks TLS 1.2; HTTP/2 has streams, whose deadlines are not those of connections.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.inForce.Load(), nil
		},
	}
}
