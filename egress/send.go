package egress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// An Answer is what came of a request.
type Answer struct {
	Status    int           // of HTTP; 0: none came
	Body      []byte        // its first bytes, as many as the client keeps
	Truncated bool          // there was more of the body, or it broke off
	Duration  time.Duration // of all: finding addresses, attempts, pauses
	Attempts  int           // 0: nothing was sent
	Err       *Error        // nil if an answer came, whatever its status
}

// OK reports a status from 200 to 299.
func (a *Answer) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Send performs a request: once, and again as often as it says while no answer comes.
// An answer is the head of one: with it the receiver has spoken, even if the body
// breaks off, and there is no retry, whatever the status. Redirects are answers.
func (c *Client) Send(ctx context.Context, t *Target, r *Request) *Answer {
	began := time.Now()
	answer := &Answer{Err: c.check(r)}
	if answer.Err == nil {
		c.attempts(ctx, t, r, answer)
	}
	answer.Duration = t.spent + time.Since(began)
	return answer
}

func (c *Client) attempts(ctx context.Context, t *Target, r *Request, answer *Answer) {
	budget := c.options.Timeout - t.spent
	for retries := min(r.Retries, RetriesMax); ; retries-- {
		answer.Attempts++
		err := c.attempt(ctx, t, r, budget, answer)
		if err == nil {
			answer.Err = nil
			return
		}
		answer.Err = c.failure(ctx, err)
		if retries == 0 || !pause(ctx, min(r.Backoff, BackoffMax)) {
			return
		}
		budget = c.options.Timeout
	}
}

// pause waits, and reports false if the context ends before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (c *Client) failure(ctx context.Context, err error) *Error {
	var timeout net.Error
	if ctx.Err() == nil && errors.As(err, &timeout) && timeout.Timeout() {
		return denied(Failed, "no answer within %s: %s", c.options.Timeout, err)
	}
	return denied(Failed, "%s", err)
}

// attempt sends the request once. An error says that no answer came.
func (c *Client) attempt(ctx context.Context, t *Target, r *Request, budget time.Duration, answer *Answer) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.method(), "", bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	request.URL, request.Host, request.Header = t.url, t.url.Host, r.header(t)
	if c.options.Signer != nil {
		c.options.Signer.sign(request, t.URL(), r.Body)
	}
	transport := c.transport(ctx, t)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer.Status = response.StatusCode
	answer.Body, answer.Truncated = c.read(response.Body)
	return nil
}

// read keeps the first bytes of a body, and reads of the rest what it may.
func (c *Client) read(body io.Reader) (kept []byte, truncated bool) {
	kept, err := io.ReadAll(io.LimitReader(body, int64(c.options.BodyKeep)))
	if err != nil {
		return kept, true
	}
	more, err := io.Copy(io.Discard, io.LimitReader(body, c.options.BodyMax-int64(len(kept))))
	return kept, more > 0 || err != nil
}

// transport is for one attempt: what it connects to are the addresses of the target,
// and no connection outlives it.
func (c *Client) transport(ctx context.Context, t *Target) *http.Transport {
	return &http.Transport{
		DialContext:            func(context.Context, string, string) (net.Conn, error) { return c.connectPlain(ctx, t) },
		DialTLSContext:         func(context.Context, string, string) (net.Conn, error) { return c.connectTLS(ctx, t) },
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: AnswerHeaderBytesMax,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerConnection: windowBytes, MaxReceiveBufferPerStream: windowBytes},
	}
}
