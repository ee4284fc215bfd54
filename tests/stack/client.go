package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Client calls the API as one person.
type Client struct {
	t      testing.TB
	base   string
	token  string
	header http.Header
}

// Answer of the API.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// As signs in at the issuer: md-1, customer-7, operator-1; "" stays a stranger.
func (s *Stack) As(t testing.TB, user string) Client {
	return Client{t: t, base: s.URL(8080), token: s.Token(t, user), header: http.Header{}}
}

var tokens sync.Map

// Token of a user from the development issuer.
func (s *Stack) Token(t testing.TB, user string) string {
	t.Helper()
	if user == "" {
		return ""
	}
	if token, ok := tokens.Load(user); ok {
		return token.(string)
	}
	req, _ := http.NewRequest(http.MethodPost, s.URL(8089)+"/oauth/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	req.SetBasicAuth(user, "dev")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token for %s: %d %v", user, res.StatusCode, err)
	}
	tokens.Store(user, answer.Token)
	return answer.Token
}

// At is the same person at another address, such as Dapr's front.
func (c Client) At(base string) Client { c.base = base; return c }

// With adds a header.
func (c Client) With(name, value string) Client {
	c.header = c.header.Clone()
	c.header.Add(name, value)
	return c
}

// Do calls the API; body may be nil, bytes, a string of JSON or anything that marshals.
func (c Client) Do(method, path string, body any) Answer {
	c.t.Helper()
	a, err := c.Try(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// Try is Do for callers who expect that there may be no answer.
func (c Client) Try(method, path string, body any) (Answer, error) {
	var raw []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		raw = b
	case string:
		raw = []byte(b)
	default:
		raw, _ = json.Marshal(b)
	}
	req, err := http.NewRequest(method, c.base+path, bytes.NewReader(raw))
	if err != nil {
		return Answer{}, err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" && req.Header.Get("Authorization") == "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := HTTP.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	return Answer{Status: res.StatusCode, Header: res.Header, Body: read}, err
}

// Is fails the test unless the answer has the status and, where one is given, the problem code.
func (a Answer) Is(t testing.TB, status int, code ...string) Answer {
	t.Helper()
	if a.Status != status || len(code) > 0 && a.Code() != code[0] {
		t.Fatalf("answered %d, want %d %v: %s", a.Status, status, code, a.Body)
	}
	return a
}

// Code of a problem document.
func (a Answer) Code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.Body, &p)
	return p.Code
}

// Read decodes an answer.
func Read[T any](t testing.TB, a Answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.Body, &v); err != nil {
		t.Fatal(fmt.Errorf("%w: %s", err, a.Body))
	}
	return v
}
