package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keySet hands the error of a key fetch to the caller: the verifier keeps only its text, and a token that
// cannot be checked now is not a forged one.
type keySet struct{ oidc.KeySet }

func (k keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if p, ok := ctx.Value(keyErrorKey{}).(*error); ok {
		*p = err
	}
	return payload, err
}

// briefly answers a repeated GET from memory for a few seconds, also that it failed. The key set asks the issuer
// anew for every token whose signature it cannot match, so that a flood of forged tokens would become a flood on
// the issuer, and an issuer that hangs would hold up each request on its own.
type briefly struct {
	next http.RoundTripper

	mu    sync.Mutex
	known map[string]remembered // by URL: discovery and keys
}

type remembered struct {
	body  []byte
	err   error
	until time.Time
}

const (
	rememberFor     = 5 * time.Second // how long a key that the issuer has just added may stay unknown
	rememberFailure = time.Second
)

func (b *briefly) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	url := r.URL.String()
	k, ok := b.known[url]
	if !ok || time.Now().After(k.until) {
		if b.known == nil {
			b.known = map[string]remembered{}
		}
		k.body, k.err = b.fetch(r)
		k.until = time.Now().Add(rememberFor)
		if k.err != nil {
			k.until = time.Now().Add(rememberFailure)
		}
		b.known[url] = k
	}
	if k.err != nil {
		return nil, k.err
	}
	return answerOf(r, k.body), nil
}

// fetch takes every answer but 200 for none: an issuer that is being restarted answers, too.
func (b *briefly) fetch(r *http.Request) ([]byte, error) {
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answered %s", res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, bodyLimit))
}

func answerOf(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
