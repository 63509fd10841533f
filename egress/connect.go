package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// connectPlain is for http.
func (c *Client) connectPlain(ctx context.Context, t *Target) (net.Conn, error) {
	conn, err := c.connect(ctx, t)
	if err != nil {
		return nil, err
	}
	return newPatient(conn), nil
}

// connectTLS is for https, with HTTP/2 if the receiver has it. The certificate must be
// for the host of the URL, whatever the address.
func (c *Client) connectTLS(ctx context.Context, t *Target) (net.Conn, error) {
	conn, err := c.connect(ctx, t)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, &tls.Config{
		ServerName: strings.Trim(t.location.host, "[]"),
		RootCAs:    c.options.RootCAs,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		return secure, nil
	}
	return newPatient(secure), nil
}

// connect tries the addresses of the target in order. All that happens on the
// connection ends with the context.
func (c *Client) connect(ctx context.Context, t *Target) (net.Conn, error) {
	addrs := t.pinned
	if addrs == nil {
		all, err := c.resolve(ctx, t.location)
		if err != nil {
			return nil, err
		}
		addrs = all[:min(len(all), AddressesMax)]
	}
	if e := c.options.Policy.checkAddresses(addrs); e != nil {
		return nil, e // a target of another client
	}
	var errs []error
	for i, addr := range addrs {
		conn, err := c.connectOne(ctx, netip.AddrPortFrom(addr, t.location.port), len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// connectOne has its share of the time that is left to all the addresses not tried yet.
func (c *Client) connectOne(ctx context.Context, addr netip.AddrPort, left int) (net.Conn, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, errors.New("connect: no deadline")
	}
	share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
	defer cancel()
	conn, err := c.dial(share, "tcp", addr.String())
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, fmt.Errorf("set deadline of connection: %w", err)
	}
	return conn, nil
}

// A patient connection reads nothing until something was written: what a receiver says
// before it is asked, net/http would print to the log.
type patient struct {
	net.Conn
	asked chan struct{}
	ask   func()
}

func newPatient(conn net.Conn) *patient {
	asked := make(chan struct{})
	return &patient{Conn: conn, asked: asked, ask: sync.OnceFunc(func() { close(asked) })}
}

func (p *patient) Read(b []byte) (int, error) {
	<-p.asked
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	p.ask()
	return p.Conn.Write(b)
}

func (p *patient) Close() error {
	p.ask()
	return p.Conn.Close()
}
