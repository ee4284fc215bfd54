package webtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
)

// AppToken is what the sidecar of an app under test shows; give it to web.Options.
const AppToken = "app-token-of-the-test"

// Server is an app that listens on a real port of the loopback.
type Server struct {
	URL string
	app App
	t   testing.TB
}

// App is what web.NewApp makes.
type App interface {
	Listener(listener net.Listener) error
	ShutdownWithTimeout(timeout time.Duration) error
	GetRoutes(filterUseOption ...bool) []fiber.Route
}

// Serve starts the app; it stops with the test.
func Serve(t testing.TB, app App) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = app.Listener(listener)
	}()
	t.Cleanup(func() {
		_ = app.ShutdownWithTimeout(time.Second)
		<-stopped
	})
	return &Server{URL: "http://" + listener.Addr().String(), app: app, t: t}
}

// Request is a call as it arrives through the app's own sidecar.
type Request struct {
	Method string
	Path   string
	Bearer string            // value of Authorization; empty: nobody is signed in
	Header map[string]string // further headers
	Body   any               // sent as JSON; a string or []byte is sent as it is
}

// Response is what the app has answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	t      testing.TB
}

// Do sends a request.
func (s *Server) Do(r Request) Response {
	s.t.Helper()
	req, err := http.NewRequest(r.Method, s.URL+r.Path, bytes.NewReader(s.encode(r.Body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Dapr-Api-Token", AppToken)
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Bearer != "" {
		req.Header.Set("Authorization", r.Bearer)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return Response{Status: res.StatusCode, Header: res.Header, Body: raw, t: s.t}
}

func (s *Server) encode(body any) []byte {
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(b)
	case []byte:
		return b
	}
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// parameter is a place in a route's path that a request fills in.
var parameter = regexp.MustCompile(`:\w+`)

// RefusesUnknownMembers asks every route of the app for what it does not take, as one who may ask, and gives how many
// there are. open are those that take anything; so do the routes of our own sidecar, and probes.
func (s *Server) RefusesUnknownMembers(may Request, open ...string) (asked int) {
	s.t.Helper()
	for _, r := range s.app.GetRoutes(true) {
		if r.Method == http.MethodHead || slices.Contains(open, r.Path) || strings.HasPrefix(r.Path, "/events") ||
			slices.Contains([]string{"/healthz", "/readyz", "/dapr/subscribe"}, r.Path) {
			continue
		}
		asked++
		ask := may
		ask.Method, ask.Path = r.Method, parameter.ReplaceAllString(r.Path, uuid.NewString())+"?limt=5"
		if res := s.Do(ask); res.Status != http.StatusBadRequest || !slices.Equal(res.Fields(), []string{"limt UNKNOWN_MEMBER"}) {
			s.t.Errorf("%s %s: %d %s", ask.Method, ask.Path, res.Status, res.Body)
		}
	}
	return asked
}

// Deliver brings an event of a topic as the sidecar does, and gives the acknowledgement: SUCCESS, RETRY, DROP.
func (s *Server) Deliver(topic string, event any) string {
	s.t.Helper()
	res := s.Do(Request{Method: http.MethodPost, Path: "/events/" + topic, Body: event})
	var answer struct {
		Status string `json:"status"`
	}
	if res.Status != http.StatusOK {
		s.t.Fatalf("an event was answered %d %s", res.Status, res.Body)
	}
	res.JSON(&answer)
	return answer.Status
}

// JSON decodes the answer.
func (r Response) JSON(into any) {
	r.t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		r.t.Fatalf("answer %d is no such JSON: %v: %s", r.Status, err, r.Body)
	}
}

// Code is the code of a problem document.
func (r Response) Code() string {
	r.t.Helper()
	var p struct {
		Code string `json:"code"`
	}
	r.JSON(&p)
	return p.Code
}

// Fields are the refused members of a 422, each as "name CODE".
func (r Response) Fields() []string {
	r.t.Helper()
	var p struct {
		Errors []struct{ Field, Code string } `json:"errors"`
	}
	r.JSON(&p)
	names := make([]string, 0, len(p.Errors))
	for _, e := range p.Errors {
		names = append(names, e.Field+" "+e.Code)
	}
	return names
}
