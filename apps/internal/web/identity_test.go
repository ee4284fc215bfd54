package web_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
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
	target, err := url.Parse(issuer.URL)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	var gone atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(target)
	// The document names the issuer itself, so the proxy stands in front of the keys by being the issuer's client.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if gone.Load() {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	defer front.Close()
	id := web.NewIdentity(issuer.URL, webtest.Audience).Through(func(r *http.Request) { r.URL.Host = front.Listener.Addr().String() })

	gone.Store(true)
	good := "Bearer " + issuer.Token("customer-1")
	if _, err := id.Verify(t.Context(), good); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("without any key: %v", err)
	}
	gone.Store(false)
	if _, err := id.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
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
