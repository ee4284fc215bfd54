package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// What a client reads that sends a part of a request, or nothing, and then waits.
func TestWhoDoesNotAskInTimeIsToldSoAndWhoHasNotBegunIsLeft(t *testing.T) {
	app := web.NewApp(web.Options{AppID: "test", Log: zerolog.Nop()})
	app.Server().ReadTimeout, app.Server().IdleTimeout = 100*time.Millisecond, 100*time.Millisecond
	app.Post("/", func(c *fiber.Ctx) error {
		_, err := web.Body(c)
		return err
	})
	address := strings.TrimPrefix(webtest.Serve(t, app).URL, "http://")
	said := func(parts string) []byte {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, parts); err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(conn) // until the server closes
		if err != nil {
			t.Fatalf("%q: %v", parts, err)
		}
		return raw
	}
	if raw := said(""); len(raw) > 0 {
		t.Errorf("an answer to nothing: %s", raw)
	}
	whole := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{}"
	chunked := "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" // its last chunk is missing
	for _, part := range []string{"P", "POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: x\r\n", whole, chunked} {
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(said(part)))), nil)
		if err != nil {
			t.Errorf("%q: %v", part, err)
			continue
		}
		var p problem
		if err := json.NewDecoder(res.Body).Decode(&p); err != nil || res.StatusCode != http.StatusRequestTimeout || p.Code != "REQUEST_TIMEOUT" || !res.Close {
			t.Errorf("%q: %s %s, closed %v, %v", part, res.Status, p.Code, res.Close, err)
		}
	}
	// A connection that has been used and rests is closed without a word as well.
	answers := string(said(whole + "  "))
	if n := strings.Count(answers, "HTTP/1.1"); n != 1 || !strings.HasPrefix(answers, "HTTP/1.1 200") {
		t.Errorf("%d answers: %s", n, answers)
	}
}
