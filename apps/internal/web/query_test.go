package web_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// asking is an app with a list, a route for nobody, and one that takes anything.
func asking(t *testing.T) *webtest.Server {
	app := web.NewApp(web.Options{AppID: "test", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	routes := web.RoutesOf(app)
	done := func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) }
	routes.Get("/list", web.Takes("limit", "all", "q"), func(c *fiber.Ctx) error {
		if _, err := web.Limit(c); err != nil {
			return err
		}
		if _, _, err := web.Boolean(c, "all"); err != nil {
			return err
		}
		return done(c)
	})
	private := routes.Group("/private", func(*fiber.Ctx) error { return fault.New(fault.Unauthenticated) })
	private.Post("/", done)
	routes.Post("/hook", web.Takes(web.Anything), done)
	routes.Add(http.MethodDelete, "/list", done)
	web.Subscriptions{App: "test", PubSub: "pubsub", Topics: map[string]web.Hear{
		"topic": func(context.Context, contract.Event) error { return nil },
	}}.Mount(app)
	return webtest.Serve(t, app)
}

func TestAQueryHoldsWhatItsRouteTakesAndNothingElse(t *testing.T) {
	s := asking(t)
	for _, c := range []struct {
		query  string
		status int
		fields []string
	}{
		{"", 204, nil}, {"?", 204, nil}, {"?limit=", 204, nil}, {"?limit=5&all=true&q=%EA%B0%80+%26", 204, nil}, {"?all=false", 204, nil},
		{"?limt=5", 400, []string{"limt UNKNOWN_MEMBER"}}, {"?Limit=5", 400, []string{"Limit UNKNOWN_MEMBER"}},
		{"?limt", 400, []string{"limt UNKNOWN_MEMBER"}}, {"?=5", 400, []string{" UNKNOWN_MEMBER"}},
		{"?limit=5&limit=5", 400, []string{"limit DUPLICATE"}}, {"?q=a&q=&all=x", 400, []string{"q DUPLICATE"}},
		{"?zoo=1&ape=2&limit=1", 400, []string{"ape UNKNOWN_MEMBER", "zoo UNKNOWN_MEMBER"}},
		{"?limit=x", 400, []string{"limit BAD_FORMAT"}}, {"?limit=1.5", 400, []string{"limit BAD_FORMAT"}}, {"?limit=%2000", 400, []string{"limit BAD_FORMAT"}},
		{"?all=maybe", 400, []string{"all BAD_FORMAT"}}, {"?all=TRUE", 400, []string{"all BAD_FORMAT"}}, {"?q=%ff", 400, []string{"q BAD_FORMAT"}},
		{"?limit=0", 422, []string{"limit OUT_OF_RANGE"}}, {"?limit=99999999999999999999", 422, []string{"limit OUT_OF_RANGE"}},
		{"?q=%zz", 400, []string{}}, {"?q=a;limit=5", 400, []string{}},
		{"?" + strings.Repeat("k", 5000), 400, []string{strings.Repeat("k", 100) + "… UNKNOWN_MEMBER"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res := s.Do(webtest.Request{Method: method, Path: "/list" + c.query})
			if res.Status != c.status || method == http.MethodGet && c.status != 204 && !slices.Equal(res.Fields(), c.fields) {
				t.Errorf("%s %.40s: %d %s", method, c.query, res.Status, res.Body)
			}
		}
	}
	if res := s.Do(webtest.Request{Method: http.MethodDelete, Path: "/list?limit=5"}); res.Status != 400 || res.Code() != "MALFORMED" {
		t.Errorf("what another method of the path takes: %d", res.Status)
	}
	if n := s.RefusesUnknownMembers(webtest.Request{}, "/hook", "/private/"); n != 2 {
		t.Errorf("%d routes", n)
	}
}

// Who may not ask is not told what there would be to ask for.
func TestTheCallerIsJudgedBeforeTheQuery(t *testing.T) {
	s := asking(t)
	if res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/private?x=1"}); res.Status != http.StatusUnauthorized {
		t.Errorf("%d", res.Status)
	}
	if res := s.Do(webtest.Request{Method: http.MethodGet, Path: "/nothing?x=1"}); res.Status != http.StatusNotFound {
		t.Errorf("%d", res.Status)
	}
}

// Neither our sidecar nor a probe nor the provider reads our documents.
func TestWhoIsToldByOthersHowToAskIsAnswered(t *testing.T) {
	s := asking(t)
	for path, want := range map[string]int{"/healthz?x=1": 200, "/readyz?x=1": 200, "/dapr/subscribe?x=1": 200, "/hook?x=1": 204} {
		method := http.MethodGet
		if want == 204 {
			method = http.MethodPost
		}
		if res := s.Do(webtest.Request{Method: method, Path: path}); res.Status != want {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	if ack := s.Deliver("topic?metadata.x=1", contract.Event{ID: "e", Type: "t"}); ack != "SUCCESS" {
		t.Errorf("an event: %s", ack)
	}
}
