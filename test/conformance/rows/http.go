package rows

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tugboot/tugboot/test/conformance/wire"
)

// httpOffered judges what UEFI's HTTP boot is offered.
func httpOffered(judge func(m *wire.Message) Verdict) func(*Client) Verdict {
	return discovered(func(_ *wire.Message, h wire.Heard) Verdict {
		if !strings.HasPrefix(bootFile(h.Message), "http") {
			return notApplicable("no URL is given to HTTP boot, but %q", bootFile(h.Message))
		}
		return judge(h.Message)
	}, firmware("HTTPClient", archHTTPX64))
}

// httpOfferRows are about the DHCP part of HTTP boot (UEFI 2.10 section 24.7).
func httpOfferRows() []Row {
	return []Row{
		{"uefi-24.7-60", "UEFI 2.10 24.7.2", Must, "Who gives HTTP boot a URL says HTTPClient in option 60: firmware else takes no notice of it.",
			httpOffered(func(m *wire.Message) Verdict {
				value, _ := m.Get(optVendorClass)
				return judged(strings.HasPrefix(string(value), "HTTPClient"), "option 60 %q", value)
			})},
		{"uefi-24.7-67", "UEFI 2.10 24.7.2", Must, "The URL is in option 67 (or the file field), and is an absolute one.",
			httpOffered(func(m *wire.Message) Verdict {
				u, err := url.Parse(bootFile(m))
				return judged(err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "%s", bootFile(m))
			})},
		{"uefi-24.7-host", "UEFI 2.10 24.7.2", Must, "Its host is an address, or name servers are given with it.",
			httpOffered(func(m *wire.Message) Verdict {
				u, err := url.Parse(bootFile(m))
				if err != nil {
					return failed("%v", err)
				}
				_, err = netip.ParseAddr(u.Hostname())
				return judged(err == nil || m.Has(optNameServer), "host %s, name servers: %t", u.Hostname(), m.Has(optNameServer))
			})},
		{"uefi-24.7-ack", "UEFI 2.10 24.7.2", Must, "The ACK has the same URL and option 60.", func(c *Client) Verdict {
			file := c.fileFor(firmware("HTTPClient", archHTTPX64))
			if !strings.HasPrefix(file, "http") {
				return notApplicable("no URL is given to HTTP boot")
			}
			return selected(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optVendorClass)
				return judged(bootFile(h.Message) == file && strings.HasPrefix(string(value), "HTTPClient"), "%s, option 60 %q", bootFile(h.Message), value)
			}, firmware("HTTPClient", archHTTPX64))(c)
		}},
		{"uefi-24.7-pxe", "UEFI 2.10 24.7.2", Must, "PXE firmware is not told HTTPClient, nor HTTP boot PXEClient.", func(c *Client) Verdict {
			return discovered(func(_ *wire.Message, h wire.Heard) Verdict {
				value, _ := h.Message.Get(optVendorClass)
				return judged(!strings.HasPrefix(string(value), "HTTPClient"), "option 60 %q", value)
			}, firmware("PXEClient", archX64))(c)
		}},
	}
}

// fetched judges the answer to a request for the URL that HTTP boot is given.
func fetched(method string, headers map[string]string, judge func(r *http.Response, body []byte) Verdict) func(*Client) Verdict {
	return func(c *Client) Verdict {
		address := c.fileFor(firmware("HTTPClient", archHTTPX64))
		if !strings.HasPrefix(address, "http://") {
			return notApplicable("no http URL is given to HTTP boot")
		}
		return c.fetch(method, address, headers, judge)
	}
}

// fetch judges the answer to one request.
func (c *Client) fetch(method, address string, headers map[string]string, judge func(r *http.Response, body []byte) Verdict) Verdict {
	request, err := http.NewRequestWithContext(c.ctx, method, address, http.NoBody)
	if err != nil {
		return failed("%v", err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(request)
	if err != nil {
		return unreached(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return failed("%s: %v", response.Status, err)
	}
	return judge(response, body)
}

// unreached tells a server of DHCP only from one of HTTP that does not answer.
func unreached(err error) Verdict {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return notApplicable("nobody serves HTTP at the URL that is given")
	}
	return unanswered("%v", err)
}

// httpRows are about HTTP itself (RFC 9110 and 9112), on the URL that HTTP boot is given.
func httpRows() []Row {
	return []Row{
		{"9110-9.3.1-get", "RFC 9110 9.3.1", Must, "GET: 200 and the file.", fetched("GET", nil, func(r *http.Response, body []byte) Verdict {
			return judged(r.StatusCode == http.StatusOK && len(body) > 0, "%s, %d bytes", r.Status, len(body))
		})},
		{"uefi-24.7-length", "UEFI 2.10 24.7.3", Must, "The answer to GET has a Content-Length, and is as long: firmware takes room by it.", fetched("GET", nil, func(r *http.Response, body []byte) Verdict {
			return judged(r.ContentLength == int64(len(body)), "Content-Length %d, %d bytes", r.ContentLength, len(body))
		})},
		{"9110-9.3.2-head", "RFC 9110 9.3.2", Must, "HEAD: what GET would say, and no body. EDK2 asks so first.", fetched("HEAD", nil, func(r *http.Response, body []byte) Verdict {
			return judged(r.StatusCode == http.StatusOK && r.ContentLength > 0 && len(body) == 0, "%s, Content-Length %d, %d bytes", r.Status, r.ContentLength, len(body))
		})},
		{"9110-14.2-range", "RFC 9110 14.2", Should, "A Range is answered with 206 and that part.", fetched("GET", map[string]string{"Range": "bytes=100-199"}, func(r *http.Response, body []byte) Verdict {
			return judged(r.StatusCode == http.StatusPartialContent && len(body) == 100 && strings.HasPrefix(r.Header.Get("Content-Range"), "bytes 100-199/"), "%s, %d bytes, Content-Range %s", r.Status, len(body), r.Header.Get("Content-Range"))
		})},
		{"9110-15.5.17-range", "RFC 9110 15.5.17", Should, "A Range past the end: 416 with the length.", fetched("GET", map[string]string{"Range": "bytes=999999999-"}, func(r *http.Response, _ []byte) Verdict {
			return judged(r.StatusCode == http.StatusRequestedRangeNotSatisfiable && strings.HasPrefix(r.Header.Get("Content-Range"), "bytes */"), "%s, Content-Range %s", r.Status, r.Header.Get("Content-Range"))
		})},
		{"9110-13.1.3-since", "RFC 9110 13.1.3", Should, "If-Modified-Since with the Last-Modified that was given: 304.", since},
		{"9110-6.6.1-date", "RFC 9110 6.6.1", Must, "Answers have a Date.", fetched("HEAD", nil, func(r *http.Response, _ []byte) Verdict {
			_, err := http.ParseTime(r.Header.Get("Date"))
			return judged(err == nil, "Date %s", r.Header.Get("Date"))
		})},
		{"9110-15.5.6-method", "RFC 9110 15.5.6", Must, "POST to a file: 405 with Allow, or 501.", fetched("POST", nil, func(r *http.Response, _ []byte) Verdict {
			return judged(r.StatusCode == http.StatusMethodNotAllowed && r.Header.Get("Allow") != "" || r.StatusCode == http.StatusNotImplemented, "%s, Allow %s", r.Status, r.Header.Get("Allow"))
		})},
		{"9110-15.5.5-missing", "RFC 9110 15.5.5", Must, "A file that is not there: 404.", func(c *Client) Verdict {
			return c.beside("no-such-file.efi", func(r *http.Response, _ []byte) Verdict {
				return judged(r.StatusCode == http.StatusNotFound, "%s", r.Status)
			})
		}},
		{"9110-17.1-outside", "RFC 9110 17.3", Must, "A path that climbs out of the files: no file.", func(c *Client) Verdict {
			return c.raw("GET /../../../../etc/passwd HTTP/1.1\r\nHost: conformance\r\nConnection: close\r\n\r\n", func(status int, body string) Verdict {
				return judged(status >= 400 && !strings.Contains(body, "root:"), "status %d", status)
			})
		}},
		{"9112-3.2-host", "RFC 9112 3.2", Must, "HTTP/1.1 without Host: 400.", func(c *Client) Verdict {
			return c.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", func(status int, _ string) Verdict { return judged(status == 400, "status %d", status) })
		}},
		{"9112-2.3-1.0", "RFC 9110 2.5", Should, "HTTP/1.0, which some boot ROMs speak: answered.", func(c *Client) Verdict {
			path := c.path()
			return c.raw("HEAD "+path+" HTTP/1.0\r\n\r\n", func(status int, _ string) Verdict { return judged(status == 200, "status %d", status) })
		}},
	}
}

func since(c *Client) Verdict {
	var modified string
	first := fetched("HEAD", nil, func(r *http.Response, _ []byte) Verdict {
		modified = r.Header.Get("Last-Modified")
		return judged(modified != "", "no Last-Modified")
	})(c)
	if first.Result != Pass {
		return first
	}
	return fetched("GET", map[string]string{"If-Modified-Since": modified}, func(r *http.Response, _ []byte) Verdict {
		return judged(r.StatusCode == http.StatusNotModified, "%s to %s", r.Status, modified)
	})(c)
}

// site is the URL that HTTP boot is given; it ends the row when there is none.
func (c *Client) site() (*url.URL, bool) {
	u, err := url.Parse(c.fileFor(firmware("HTTPClient", archHTTPX64)))
	return u, err == nil && u.Scheme == "http"
}

func (c *Client) path() string {
	u, _ := c.site()
	if u == nil {
		return "/"
	}
	return u.EscapedPath()
}

// beside fetches another file from the folder of the boot file.
func (c *Client) beside(name string, judge func(r *http.Response, body []byte) Verdict) Verdict {
	u, ok := c.site()
	if !ok {
		return notApplicable("no http URL is given to HTTP boot")
	}
	return c.fetch("GET", u.JoinPath("..", name).String(), nil, judge)
}

// raw sends a request as it is, to the HTTP server of the boot file.
func (c *Client) raw(request string, judge func(status int, body string) Verdict) Verdict {
	u, ok := c.site()
	if !ok {
		return notApplicable("no http URL is given to HTTP boot")
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "80")
	}
	conn, err := (&net.Dialer{Timeout: 3 * time.Second}).DialContext(c.ctx, "tcp", host)
	if err != nil {
		return unreached(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return failed("%v", err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return failed("%v", err)
	}
	answer := bufio.NewReader(io.LimitReader(conn, 1<<16))
	first, err := answer.ReadString('\n')
	if err != nil {
		return failed("the connection ends without an answer: %v", err)
	}
	var version string
	var status int
	if _, err := fmt.Sscanf(first, "%s %d", &version, &status); err != nil || !strings.HasPrefix(version, "HTTP/") {
		return failed("the answer begins %s", strconv.QuoteToASCII(first))
	}
	body, err := io.ReadAll(answer)
	if err != nil {
		return failed("%v", err)
	}
	return judge(status, string(body))
}
