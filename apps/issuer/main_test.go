package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/rs/zerolog"
)

// start runs the real server on a free port of the loopback and gives its issuer URL. The function stops it
// and waits until it has stopped; the end of the test calls it as well.
func start(t *testing.T, keyFile string) (issuer string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, listener, keyFile)
}

func startOn(t *testing.T, listener net.Listener, keyFile string) (issuer string, stop func()) {
	t.Helper()
	cfg := settings{
		Environment: "development", Audience: "oneqtour", ClientSecret: "dev", KeyFile: keyFile, DrainTime: time.Second,
		RedirectURIs: "http://127.0.0.1:8080/auth/callback", LogoutURIs: "http://127.0.0.1:8080/",
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- serve(ctx, cfg, listener, zerolog.New(zerolog.NewTestWriter(t))) }()
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		if err := <-stopped; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return "http://" + listener.Addr().String(), stop
}

func newKeyFile(t *testing.T) string { return filepath.Join(t.TempDir(), "keys", "issuer.pem") }

// askToken asks for a client credentials token with basic authentication.
func askToken(t *testing.T, issuer, client, secret string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, issuer+"/oauth/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(client, secret)
	return answerOf(t, http.DefaultClient, request)
}

func postForm(t *testing.T, client *http.Client, address string, form url.Values) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return answerOf(t, client, request)
}

func answerOf(t *testing.T, client *http.Client, request *http.Request) (int, map[string]any) {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s answered %d %q", request.URL, response.StatusCode, text)
	}
	return response.StatusCode, body
}

// verify checks a token as a service does: by discovery, the JWKS and the audience.
func verify(t *testing.T, issuer, audience string, token any) *oidc.IDToken {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.(string)
	verified, err := provider.Verifier(&oidc.Config{ClientID: audience}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return verified
}

func TestAClientGetsAnAccessTokenThatTheKeysVerify(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	for client, role := range map[string]string{
		"md-1": "MD", "md-2": "MD", "customer-1": "CUSTOMER", "customer-9": "CUSTOMER", "customer-99999": "CUSTOMER", "operator-1": "OPERATOR",
	} {
		status, answer := askToken(t, issuer, client, "dev")
		if status != http.StatusOK || answer["token_type"] != "Bearer" {
			t.Fatalf("%s: %d %v", client, status, answer)
		}
		token := verify(t, issuer, "oneqtour", answer["access_token"])
		var claims struct {
			Roles []string `json:"roles"`
			ID    string   `json:"jti"`
		}
		if err := token.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		if token.Subject != client || len(claims.Roles) != 1 || claims.Roles[0] != role || claims.ID == "" {
			t.Errorf("%s: sub %s, claims %+v", client, token.Subject, claims)
		}
		if life := token.Expiry.Sub(token.IssuedAt); life < 59*time.Minute || life > 61*time.Minute {
			t.Errorf("%s: lives %v, want an hour", client, life)
		}
	}
}

func TestASecretMayComeInTheForm(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	status, answer := postForm(t, http.DefaultClient, issuer+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"customer-3"}, "client_secret": {"dev"},
	})
	if status != http.StatusOK || verify(t, issuer, "oneqtour", answer["access_token"]).Subject != "customer-3" {
		t.Fatalf("%d %v", status, answer)
	}
}

func TestWhoIsNotAClientIsRefused(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	for _, c := range []struct{ client, secret, code string }{
		{"customer-1", "wrong", "invalid_client"},
		{"customer-1", "", "invalid_client"},
		{"md-3", "dev", "invalid_client"},
		{"operator-2", "dev", "invalid_client"},
		{"customer-0", "dev", "invalid_client"},
		{"customer-01", "dev", "invalid_client"},
		{"customer-+1", "dev", "invalid_client"},
		{"customer-100000", "dev", "invalid_client"},
		{"customer-", "dev", "invalid_client"},
		{"", "dev", "invalid_client"},
		{"%zz", "dev", "invalid_client"}, // makes the library panic after its answer
	} {
		if status, answer := askToken(t, issuer, c.client, c.secret); status != http.StatusUnauthorized || answer["error"] != c.code {
			t.Errorf("%s with %q: %d %v", c.client, c.secret, status, answer)
		}
	}
	if status, answer := askToken(t, issuer, webClient, "dev"); status != http.StatusBadRequest || answer["error"] != "unauthorized_client" {
		t.Errorf("client credentials of the pages: %d %v", status, answer)
	}
	if status, answer := postForm(t, http.DefaultClient, issuer+"/oauth/token", url.Values{"grant_type": {"password"}}); status != http.StatusBadRequest || answer["error"] != "unsupported_grant_type" {
		t.Errorf("password grant: %d %v", status, answer)
	}
}

func TestDiscoveryNamesTheEndpoints(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	request, _ := http.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil)
	status, found := answerOf(t, http.DefaultClient, request)
	for member, want := range map[string]any{
		"issuer": issuer, "token_endpoint": issuer + "/oauth/token", "authorization_endpoint": issuer + "/authorize",
		"jwks_uri": issuer + "/keys", "end_session_endpoint": issuer + "/end_session", "userinfo_endpoint": issuer + "/userinfo",
	} {
		if status != http.StatusOK || found[member] != want {
			t.Errorf("%s is %v, want %v", member, found[member], want)
		}
	}
}

func TestProbesAnswer(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		response, err := http.Get(issuer + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

func TestItStartsInDevelopmentOnly(t *testing.T) {
	for _, environment := range []string{"", "production", "staging", "Development"} {
		if err := run(t.Context(), settings{Environment: environment}); !errors.Is(err, errNotDevelopment) {
			t.Errorf("%q: %v", environment, err)
		}
	}
}

func TestTokensSurviveARestart(t *testing.T) {
	keyFile := newKeyFile(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer, stop := startOn(t, listener, keyFile)
	_, answer := askToken(t, issuer, "customer-1", "dev")
	stop()

	info, err := os.Stat(keyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v, want mode 0600", info.Mode(), err)
	}
	if listener, err = net.Listen("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	startOn(t, listener, keyFile)
	verify(t, issuer, "oneqtour", answer["access_token"])
}
