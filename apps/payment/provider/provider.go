// Package provider speaks to the payment provider, in the published HTTP shape of Toss Payments. The word
// order is the provider's: it means the payment's id there.
package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/payment/domain"
)

// maxAnswer is how much of an answer is read, in bytes: more than a thousand transactions are.
const maxAnswer = 4 << 20

// Client calls one provider account.
type Client struct {
	base    string
	auth    string
	timeout time.Duration
	http    *http.Client
}

// New prepares a client; it does not connect. Every call ends within the timeout.
func New(base, secretKey string, timeout time.Duration) *Client {
	return &Client{
		base:    strings.TrimSuffix(base, "/"),
		auth:    "Basic " + base64.StdEncoding.EncodeToString([]byte(secretKey+":")),
		timeout: timeout,
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
				TLSHandshakeTimeout: 3 * time.Second,
				MaxIdleConns:        256, MaxIdleConnsPerHost: 256, IdleConnTimeout: 60 * time.Second,
			},
			// The secret goes to the configured address alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Confirm charges the payment, under its id as key.
func (c *Client) Confirm(ctx context.Context, p *domain.Payment, token domain.Token) domain.Reply {
	return c.call(ctx, http.MethodPost, "/v1/payments/confirm", string(p.ID()), map[string]any{
		"paymentKey": token.Reveal(), "orderId": p.OrderID(), "amount": p.Amount(),
	})
}

// Cancel returns money of a charge, under the refund's key.
func (c *Client) Cancel(ctx context.Context, charge domain.Charge, r domain.Refund) domain.Reply {
	return c.call(ctx, http.MethodPost, "/v1/payments/"+url.PathEscape(charge.Key)+"/cancel", r.Key(), map[string]any{
		"cancelReason": r.Reason(), "cancelAmount": r.Amount,
	})
}

// Find asks for a payment by its order id. domain.NotFound only when the provider says just that.
func (c *Client) Find(ctx context.Context, orderID string) domain.Reply {
	reply := c.call(ctx, http.MethodGet, "/v1/payments/orders/"+url.PathEscape(orderID), "", nil)
	if reply.Kind == domain.Refused && reply.Code == "NOT_FOUND_PAYMENT" {
		reply.Kind = domain.NotFound
	}
	return reply
}

func (c *Client) call(ctx context.Context, method, path, key string, body map[string]any) domain.Reply {
	status, raw, failed := c.exchange(ctx, method, path, key, body)
	if failed != nil {
		return *failed
	}
	return read(status, raw)
}

// exchange gives what the provider answered, or why it did not.
func (c *Client) exchange(ctx context.Context, method, path, key string, body map[string]any) (int, []byte, *domain.Reply) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := c.request(ctx, method, path, key, body)
	if err != nil {
		return 0, nil, &domain.Reply{Kind: domain.NotSent, Cause: err}
	}
	res, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address may hold a payment key
		}
		if !connected.Load() {
			// No attempt, of those that the transport makes by itself neither, got as far as a connection.
			return 0, nil, &domain.Reply{Kind: domain.NotSent, Cause: err}
		}
		return 0, nil, &domain.Reply{Cause: err}
	}
	defer func() {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // a drained connection is used again
		_ = res.Body.Close()
	}()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, nil, &domain.Reply{Cause: fmt.Errorf("read the provider's answer: %w", err)}
	}
	return res.StatusCode, raw, nil
}

func (c *Client) request(ctx context.Context, method, path, key string, body map[string]any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, errors.New("the request cannot be written as JSON")
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, errors.New("the provider's address is no URL")
	}
	req.Header.Set("Authorization", c.auth)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		// Written in lower case on purpose: net/http silently repeats a request whose connection broke when
		// it knows this header. Whether to repeat is decided above, after an inquiry.
		req.Header["idempotency-key"] = []string{key}
	}
	return req, nil
}

// answer is the part of the provider's Payment object that matters, or its error.
type answer struct {
	Status        string    `json:"status"`
	OrderID       string    `json:"orderId"`
	PaymentKey    string    `json:"paymentKey"`
	TotalAmount   money.KRW `json:"totalAmount"`
	BalanceAmount money.KRW `json:"balanceAmount"`
	Cancels       []struct {
		Reason string    `json:"cancelReason"`
		Amount money.KRW `json:"cancelAmount"`
	} `json:"cancels"`
	Failure *struct {
		Code string `json:"code"`
	} `json:"failure"`
	Code string `json:"code"`
}

// code is what a refusal code looks like; other text of the provider is neither kept nor logged.
var code = regexp.MustCompile(`^[A-Z][A-Z0-9_]{2,63}$`)

// read classifies an answer. Whoever says neither yes nor no in the published words is not believed.
func read(status int, raw []byte) domain.Reply {
	lost := domain.Reply{Cause: fmt.Errorf("the provider answered %d", status)}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return lost
	}
	switch {
	case status == http.StatusOK && a.Status != "" && a.OrderID != "":
		return domain.Reply{Kind: domain.Answered, Charge: a.charge()}
	case status == http.StatusConflict, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return lost // a twin is running, or the provider is busy
	case status >= 400 && status < 500 && code.MatchString(a.Code):
		return domain.Reply{Kind: domain.Refused, Code: a.Code, Cause: fmt.Errorf("the provider answered %d %s", status, a.Code)}
	}
	return lost
}

func (a answer) charge() domain.Charge {
	c := domain.Charge{
		State: a.Status, OrderID: a.OrderID, Key: a.PaymentKey, Total: a.TotalAmount, Balance: a.BalanceAmount,
	}
	for _, back := range a.Cancels {
		c.Cancels = append(c.Cancels, domain.Return{Reason: back.Reason, Amount: back.Amount})
	}
	if a.Failure != nil && code.MatchString(a.Failure.Code) {
		c.Failure = a.Failure.Code
	}
	return c
}
