package sidecar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"oneqtour/apps/internal/contract"
)

// Undelivered says that a call certainly did not reach its target; any other error of Invoke leaves open
// whether it did.
type Undelivered struct {
	// Refused: the breaker is open, so that trying again at once is of no use.
	Refused bool
	Reason  string
}

func (u *Undelivered) Error() string { return "not delivered: " + u.Reason }

// Rejected says that a sidecar would not take the request as it is: its address (414), headers (431) or body (413)
// are too large. It did not reach its target, and never will.
type Rejected struct{ Status int }

func (r *Rejected) Error() string { return "dapr refused the request: " + http.StatusText(r.Status) }

// undelivered are the texts by which daprd 1.18 says that a call did not leave, or did not reach the app.
// Dapr has no codes for them: one table, pinned by a test against the real daprd.
var undelivered = []struct {
	text    string
	refused bool
}{
	{"circuit breaker is open", true},
	{"too many requests", true}, // half-open: another call is the probe
	{"couldn't find service", false},
	{"no host found with the given ID", false},
	{"app is not in a healthy state", false},
	{"connection refused", false},
}

// maxAnswer is how much of an app's answer is read into memory, in bytes; more is an error.
const maxAnswer = 16 << 20

// Request is an invocation of another app.
type Request struct {
	App    string
	Method string
	Path   string // with query, beginning with /
	Header http.Header
	Body   []byte
}

// Response is what the app answered, whatever its status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Invoke calls another app through the sidecars. An error means that the app did not answer: *Undelivered
// or *Rejected when it was certainly not reached.
func (c *Client) Invoke(ctx context.Context, r Request) (Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+"/v1.0/invoke/"+r.App+"/method"+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return Response{}, fmt.Errorf("invoke %s: %w", r.App, err)
	}
	if r.Header != nil {
		req.Header = r.Header
	}
	if c.token != "" {
		req.Header.Set(tokenHeader, c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		// Our own sidecar is down: nothing was sent.
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			return Response{}, &Undelivered{Reason: "own sidecar is down"}
		}
		return Response{}, fmt.Errorf("invoke %s: %w", r.App, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return Response{}, fmt.Errorf("invoke %s: read answer: %w", r.App, err)
	}
	if len(raw) > maxAnswer {
		return Response{}, fmt.Errorf("invoke %s: the answer has more than %d bytes", r.App, maxAnswer)
	}
	if res.Header.Get(contract.HeaderApp) == "" {
		return Response{}, fromDapr(r.App, res.StatusCode, raw)
	}
	return Response{Status: res.StatusCode, Header: res.Header, Body: raw}, nil
}

// fromDapr reads an answer that the sidecar gave instead of the app.
func fromDapr(app string, status int, raw []byte) error {
	switch status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return &Rejected{status}
	}
	var answer struct{ ErrorCode, Message string }
	_ = json.Unmarshal(raw, &answer)
	if answer.ErrorCode == "ERR_DIRECT_INVOKE" {
		for _, u := range undelivered {
			if strings.Contains(answer.Message, u.text) {
				return &Undelivered{Refused: u.refused, Reason: app + ": " + u.text}
			}
		}
	}
	return fmt.Errorf("invoke %s: dapr answered %d %s: %s", app, status, answer.ErrorCode, answer.Message)
}
