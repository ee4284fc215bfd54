package web

import (
	"bytes"
	"context"
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

// briefly answers a repeated GET from memory for a few seconds. The key set asks the issuer anew for every token
// whose signature it cannot match, so that a flood of forged tokens would become a flood on the issuer.
type briefly struct {
	next http.RoundTripper

	mu    sync.Mutex
	known map[string]remembered // by URL: discovery and keys
}

type remembered struct {
	body  []byte
	until time.Time
}

const rememberFor = 5 * time.Second // how long a key that the issuer has just added may stay unknown

func (b *briefly) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	url := r.URL.String()
	if k, ok := b.known[url]; ok && time.Now().Before(k.until) {
		return answerOf(r, k.body), nil
	}
	res, err := b.next.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil {
		return nil, err
	}
	if b.known == nil {
		b.known = map[string]remembered{}
	}
	b.known[url] = remembered{body, time.Now().Add(rememberFor)}
	return answerOf(r, body), nil
}

func answerOf(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}
