package web_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

type trip struct {
	Name       string `json:"name"`
	Price      int64  `json:"price"`
	Departures []struct {
		Date string `json:"date"`
		Seat *struct {
			Row float64 `json:"row"`
		} `json:"seat"`
	} `json:"departures"`
}

func decoding(t *testing.T) *webtest.Server {
	app := web.NewApp(web.Options{AppID: "test", Log: zerolog.Nop()})
	app.Post("/", func(c *fiber.Ctx) error {
		_, err := web.Decode[trip](c)
		return err
	})
	return webtest.Serve(t, app)
}

type problem struct {
	Code   string
	Errors []struct{ Field, Pointer, Code, Detail string }
}

func TestACompressedBodyIsRefusedUnread(t *testing.T) {
	s := decoding(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	bomb := bytes.Repeat(packed.Bytes(), 128) // files behind each other are one
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, encoding := range []string{"gzip", "br", "deflate", "GZIP", "identity, gzip", "unheard-of"} {
		if res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: bomb, Header: map[string]string{"Content-Encoding": encoding}}); res.Status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: %d", encoding, res.Status)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("refusing six bodies of %d bytes took %d", len(bomb), grown)
	}
	if res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: `{}`, Header: map[string]string{"Content-Encoding": "identity"}}); res.Status != http.StatusOK {
		t.Errorf("identity: %d", res.Status)
	}
}

func TestAnAnswerDoesNotGrowWithTheMistakes(t *testing.T) {
	s := decoding(t)
	for name, body := range map[string]string{
		"unknown members": `{"departures":[` + strings.TrimSuffix(strings.Repeat(`{"a":1},`, 100_000), ",") + `]}`,
		"a long name":     `{"` + strings.Repeat("가", 300_000) + `":1}`,
	} {
		res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: body})
		var p problem
		res.JSON(&p)
		if res.Status != http.StatusUnprocessableEntity || len(p.Errors) == 0 || len(p.Errors) > 100 || len(res.Body) > 64<<10 {
			t.Errorf("%s: %d with %d errors in %d bytes", name, res.Status, len(p.Errors), len(res.Body))
		}
	}
}

func TestAWrongTypeIsNamedWithItsPlaceInWordsOfJSON(t *testing.T) {
	s := decoding(t)
	for body, want := range map[string]string{
		`{"name":1}`:                  "name /name string",
		`{"name":{"a":[1,2]}}`:        "name /name string",
		`{"name":[["x"]]}`:            "name /name string",
		`{"name":"n","price":"2"}`:    "price /price integer",
		`{"price":1.5}`:               "price /price integer",
		`{"departures":{"date":"x"}}`: "departures /departures array",
		`{"departures":[{"date":"a"},{"date":"b"},{"date":3}]}`:      "departures[2].date /departures/2/date string",
		`{"departures":[{"seat":{"row":1}},{"seat":{"row":"one"}}]}`: "departures[1].seat.row /departures/1/seat/row number",
		`{"departures":[{"date":"a"}, 7]}`:                           "departures[1] /departures/1 object",
	} {
		res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: body, Header: map[string]string{"Accept-Language": "en"}})
		var p problem
		res.JSON(&p)
		if res.Status != http.StatusBadRequest || len(p.Errors) != 1 {
			t.Errorf("%s: %d %s", body, res.Status, res.Body)
			continue
		}
		e := p.Errors[0]
		detail, _ := strings.CutPrefix(e.Detail, "has the wrong format (")
		if got := e.Field + " " + e.Pointer + " " + strings.TrimSuffix(detail, ")"); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// A name may hold what separates names.
func TestPointersAreEscaped(t *testing.T) {
	s := decoding(t)
	res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: `{"departures":[{"a.b/c~[0]":1}]}`})
	var p problem
	res.JSON(&p)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/departures/0/a.b~1c~0[0]" || p.Errors[0].Field != "departures[0].a.b/c~[0]" {
		t.Errorf("%s", res.Body)
	}
}

// Which field it was is told whatever the code.
func TestFieldsAreToldWithEveryCode(t *testing.T) {
	app := web.NewApp(web.Options{AppID: "test", Log: zerolog.Nop()})
	app.Post("/", func(*fiber.Ctx) error {
		return &fault.Error{Code: fault.ConsentRequired, Fields: []fault.Field{{Name: "acceptedPolicyVersion", Code: fault.Required}}}
	})
	res := webtest.Serve(t, app).Do(webtest.Request{Method: http.MethodPost, Path: "/"})
	var p problem
	res.JSON(&p)
	if res.Status != http.StatusUnprocessableEntity || p.Code != "CONSENT_REQUIRED" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/acceptedPolicyVersion" {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}

// A member that was not sent is required, whatever a rule says of the zero in its place; one that was sent is judged.
func TestWhatWasNotSentIsRequired(t *testing.T) {
	app := web.NewApp(web.Options{AppID: "test", Log: zerolog.Nop()})
	app.Post("/", func(c *fiber.Ctx) error {
		trip, err := web.Decode[trip](c)
		if err != nil {
			return err
		}
		var f fault.Fields
		f.Check(trip.Price >= 1 && trip.Price <= 99, "price", fault.OutOfRange, "1..99")
		f.Check(trip.Name == "x", "name", fault.BadFormat, fault.VisibleASCII+", 1..100")
		for i, d := range trip.Departures {
			f.Check(d.Date == "x", fmt.Sprintf("departures[%d].date", i), fault.NotAllowed, "x")
			f.Check(d.Seat != nil && d.Seat.Row > 0, fmt.Sprintf("departures[%d].seat.row", i), fault.OutOfRange, "> 0")
		}
		return f.Err()
	})
	s := webtest.Serve(t, app)
	for body, want := range map[string][]string{
		`{}`:                            {"price REQUIRED", "name REQUIRED"},
		`{"price":null,"name":null}`:    {"price REQUIRED", "name REQUIRED"},
		`{"price":0,"name":""}`:         {"price OUT_OF_RANGE", "name BAD_FORMAT"},
		`{"price":100,"name":"가"}`:      {"price OUT_OF_RANGE", "name BAD_FORMAT"},
		`{"price":1,"departures":[{}]}`: {"name REQUIRED", "departures[0].date REQUIRED", "departures[0].seat.row REQUIRED"},
		`{"price":1,"name":"x","departures":[{"date":"x","seat":{"row":1}},{"date":"y","seat":{"row":0}}]}`: {"departures[1].date NOT_ALLOWED", "departures[1].seat.row OUT_OF_RANGE"},
	} {
		if res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: body}); !slices.Equal(res.Fields(), want) {
			t.Errorf("%s: %s", body, res.Body)
		}
	}
	for language, want := range map[string]string{
		"ko": "필수 항목입니다 (1..99); 형식이 올바르지 않습니다 (보이는 ASCII 문자(공백 제외), 1..100)",
		"en": "is required (1..99); has the wrong format (visible ASCII characters, 1..100)",
	} {
		res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/", Body: `{"name":"가"}`, Header: map[string]string{"Accept-Language": language}})
		var p problem
		if res.JSON(&p); len(p.Errors) != 2 || p.Errors[0].Detail+"; "+p.Errors[1].Detail != want {
			t.Errorf("%s: %+v", language, p.Errors)
		}
	}
}
