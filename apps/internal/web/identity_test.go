package web_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

func TestK6_OnlyWhatTheIssuerSignedForUsIsBelieved(t *testing.T) {
	issuer, stranger := webtest.Issuer(t), webtest.Issuer(t)
	id := web.NewIdentity(issuer.URL, webtest.Audience)
	good := issuer.Token("customer-1", web.RoleCustomer)
	part := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + part[1] + "."
	for name, token := range map[string]string{
		"expired":           issuer.Sign(map[string]any{"sub": "c", "exp": time.Now().Add(-time.Minute).Unix()}),
		"for somebody else": issuer.Sign(map[string]any{"sub": "c", "aud": "another"}),
		"another issuer's":  stranger.Token("c"),
		"ours by its word":  stranger.Sign(map[string]any{"sub": "c", "iss": issuer.URL}),
		"unsigned":          none,
		"without subject":   issuer.Sign(map[string]any{}),
		"changed":           part[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"md-1","roles":["MD"]}`)) + "." + part[2],
		"roles of a kind":   issuer.Sign(map[string]any{"sub": "c", "roles": "MD"}),
		"nothing":           "",
	} {
		if p, err := id.Verify(t.Context(), "Bearer "+token); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	for _, header := range []string{"", good, "Basic " + good} {
		if _, err := id.Verify(t.Context(), header); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("header %.20q: %v", header, err)
		}
	}
	if p, err := id.Verify(t.Context(), "Bearer "+good); err != nil || p.Subject != "customer-1" || !p.Has(web.RoleCustomer) || p.Has(web.RoleMD) {
		t.Errorf("%+v %v", p, err)
	}
}

// An issuer that can be counted and taken away.
func TestKeysOutliveTheIssuerAndForgedTokensDoNotFloodIt(t *testing.T) {
	issuer := webtest.Issuer(t)
	var gone atomic.Bool
	id, asked := front(t, issuer, func(http.ResponseWriter, *http.Request) bool {
		if gone.Load() {
			panic(http.ErrAbortHandler)
		}
		return false
	})

	gone.Store(true)
	good := "Bearer " + issuer.Token("customer-1")
	if _, err := id.Verify(t.Context(), good); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("without any key: %v", err)
	}
	gone.Store(false)
	soon(t, func() error { _, err := id.Verify(t.Context(), good); return err }) // that it was away is remembered for a second
	before := asked.Load()
	part := strings.Split(good, ".")
	for range 500 {
		if _, err := id.Verify(t.Context(), part[0]+"."+part[1]+".AAAA"); fault.CodeOf(err) != fault.Unauthenticated {
			t.Fatal(err)
		}
	}
	if n := asked.Load() - before; n > 3 {
		t.Errorf("500 forged tokens asked the issuer %d times", n)
	}
	gone.Store(true)
	if _, err := id.Verify(t.Context(), good); err != nil {
		t.Errorf("a known key while the issuer is away: %v", err)
	}
}

// soon waits until something works.
func soon(t *testing.T, works func() error) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := works()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// front stands in front of an issuer and does with its answers what a test wants: answer is asked first, and
// passes on what it returns false for.
func front(t *testing.T, issuer *webtest.TestIssuer, answer func(w http.ResponseWriter, r *http.Request) bool) (id *web.Identity, asked *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	at := server.Listener.Addr().String()
	return web.NewIdentity(issuer.URL, webtest.Audience).Through(func(r *http.Request) { r.URL.Host = at }), asked
}

// A replica that starts while its issuer hangs answers each request by its own deadline, and asks once for all.
func TestAHungIssuerHoldsUpNobodyBeyondTheirDeadline(t *testing.T) {
	issuer := webtest.Issuer(t)
	release := make(chan struct{})
	var hangs atomic.Bool
	hangs.Store(true)
	id, asked := front(t, issuer, func(http.ResponseWriter, *http.Request) bool {
		if hangs.Load() {
			<-release
		}
		return false
	})
	good := issuer.Bearer("customer-1")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := id.Verify(ctx, good); fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// What is no token is refused without asking.
	for _, header := range []string{"Bearer x", "Bearer a.b", "Bearer a.b.c.d", "Bearer a.b.", "Bearer a.b.c=", "Bearer a.b." + strings.Repeat("c", 8<<10)} {
		if _, err := id.Verify(t.Context(), header); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%.20s: %v", header, err)
		}
	}
	hangs.Store(false)
	close(release)
	soon(t, func() error { _, err := id.Verify(t.Context(), good); return err })
}

// Keys that cannot be had say nothing of the token.
func TestAnIssuerThatFailsMakesNoTokenWrong(t *testing.T) {
	issuer := webtest.Issuer(t)
	var status atomic.Int64
	release := make(chan struct{})
	id, asked := front(t, issuer, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/keys" {
			return false
		}
		switch n := status.Load(); n {
		case 0:
			return false
		case 1: // hangs
			<-release
		default:
			w.WriteHeader(int(n))
		}
		return true
	})
	t.Cleanup(func() { close(release) })
	good := issuer.Bearer("customer-1")
	status.Store(503)
	for range 50 {
		if _, err := id.Verify(t.Context(), good); fault.CodeOf(err) != fault.Unavailable {
			t.Fatalf("keys answered 503: %v", err)
		}
	}
	if n := asked.Load(); n > 3 {
		t.Errorf("fifty requests asked an issuer that fails %d times", n)
	}
	status.Store(1)
	soon(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := id.Verify(ctx, good)
		if fault.CodeOf(err) != fault.Unavailable {
			t.Fatalf("keys do not come: %v", err)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err // still the failure before
		}
		return nil
	})
}

func TestK6_ASubjectIsANameThatCanBeSeen(t *testing.T) {
	issuer := webtest.Issuer(t)
	id := web.NewIdentity(issuer.URL, webtest.Audience)
	for _, sub := range []string{" customer-1", "customer-1 ", "customer-1\u00a0", "\tcustomer-1", "customer\n-1", "customer-1\x00", "\u0085", strings.Repeat("c", 101)} {
		if p, err := id.Verify(t.Context(), issuer.Bearer(sub)); fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%q: %+v %v", sub, p, err)
		}
	}
	for _, sub := range []string{"customer-1", "홍길동", "a b", strings.Repeat("c", 100)} {
		if _, err := id.Verify(t.Context(), issuer.Bearer(sub)); err != nil {
			t.Errorf("%q: %v", sub, err)
		}
	}
}
