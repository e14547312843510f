package kea

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds one answer, in bytes: a configuration of some 100,000 reservations.
const maxAnswer = 64 << 20

// exchange sends one command to a control channel and returns the answer.
type exchange func(ctx context.Context, command []byte) ([]byte, error)

// dial returns how the control channel at the options' URL is asked, and whether that is over HTTP.
func dial(o Options) (ask exchange, overHTTP bool, err error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, false, errors.New("URL: cannot be read: write unix:///PATH, http://HOST:PORT/ or https://HOST:PORT/") // the error would repeat a password
	}
	switch {
	case u.User != nil:
		return nil, false, errors.New("URL: a user or password stands in it: give them in the Secret")
	case u.Scheme == "unix" && u.Host == "" && strings.HasPrefix(u.Path, "/") && u.RawQuery == "" && u.Fragment == "":
		return socket(u.Path), false, nil
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, false, fmt.Errorf("URL %+.120q: write unix:///PATH, http://HOST:PORT/ or https://HOST:PORT/", o.URL)
	case strings.Contains(o.Username, ":"):
		return nil, false, errors.New("username: a colon stands in it, which HTTP basic authentication does not allow: choose another")
	}
	config, err := tlsConfig(o)
	if err != nil {
		return nil, false, err
	}
	client := &http.Client{
		// No proxy: what is sent there may hold a password.
		Transport:     &http.Transport{TLSClientConfig: config, IdleConnTimeout: 30 * time.Second, MaxIdleConns: 1},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return post(client, u.String(), o.Username, o.Password), true, nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(o.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(o.CA) {
			return nil, errors.New("ca.crt: no certificate in it: give PEM")
		}
	}
	if len(o.Cert) > 0 || len(o.Key) > 0 {
		pair, err := tls.X509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("tls.crt and tls.key: %w: give a certificate and its key as PEM", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// socket asks over a unix socket: one command for each connection, and the end of the answer is the end of the stream.
func socket(path string) exchange {
	return func(ctx context.Context, command []byte) ([]byte, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			return nil, fmt.Errorf("%w: is Kea running, with this control socket, and may this account use it?", err)
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if _, err := conn.Write(command); err != nil {
			return nil, ended(ctx, err)
		}
		answer, err := bounded(conn)
		return answer, ended(ctx, err)
	}
}

// ended prefers the reason for which a connection was closed here.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
	return err
}

// post asks over HTTP. A redirection is not followed: it would take the password elsewhere.
func post(client *http.Client, address, username, password string) exchange {
	return func(ctx context.Context, command []byte) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(command))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		if username != "" || password != "" {
			request.SetBasicAuth(username, password)
		}
		response, err := client.Do(request)
		if errors.Is(err, io.EOF) && request.URL.Scheme == "http" {
			return nil, fmt.Errorf("%w: the connection was closed without an answer: where the control channel asks for TLS, write https", err)
		}
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		switch code := response.StatusCode; {
		case code == http.StatusUnauthorized || code == http.StatusForbidden:
			return nil, fmt.Errorf("HTTP status %d: the username or password is not the one that the control channel asks for", code)
		case code >= 300 && code < 400:
			return nil, fmt.Errorf("HTTP status %d: a redirection, which is not followed: give the URL of the control channel itself", code)
		case code != http.StatusOK:
			return nil, fmt.Errorf("HTTP status %d: this is not Kea's control channel, or it cannot answer", code)
		}
		return bounded(response.Body)
	}
}

func bounded(r io.Reader) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		return nil, fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	return answer, err
}
