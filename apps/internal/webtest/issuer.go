// Package webtest lets tests of an inbound edge sign callers in without an issuer at hand: a key set over
// real HTTP, and tokens signed with its key.
package webtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Audience is what the tokens are for; it is also the default of ONEQ_OIDC_AUDIENCE.
const Audience = "oneqtour"

const keyID = "test"

// TestIssuer is an OpenID issuer that discovers, serves its keys and signs whatever a test asks for.
type TestIssuer struct {
	URL    string // for web.NewIdentity
	signer jose.Signer
	t      testing.TB
}

// Issuer starts an issuer with a key of its own; it ends with the test.
func Issuer(t testing.TB) *TestIssuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]any{
		"issuer":                                server.URL,
		"jwks_uri":                              server.URL + "/keys",
		"authorization_endpoint":                server.URL + "/authorize",
		"token_endpoint":                        server.URL + "/oauth/token",
		"id_token_signing_alg_values_supported": []string{"ES256"},
	}))
	mux.HandleFunc("/keys", answer(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: key.Public(), KeyID: keyID, Algorithm: "ES256", Use: "sig"},
	}}))
	return &TestIssuer{URL: server.URL, signer: signer, t: t}
}

// Token is a valid access token of the subject with the roles, good for an hour.
func (i *TestIssuer) Token(sub string, roles ...string) string {
	return i.Sign(map[string]any{"sub": sub, "roles": roles})
}

// Bearer is Token as the value of the header Authorization.
func (i *TestIssuer) Bearer(sub string, roles ...string) string {
	return "Bearer " + i.Token(sub, roles...)
}

// Sign signs claims. Those that a valid token needs are added unless the claims name them: an "exp" in the
// past makes an expired token, another "aud" one that is meant for somebody else.
func (i *TestIssuer) Sign(claims map[string]any) string {
	i.t.Helper()
	now := time.Now()
	all := map[string]any{
		"iss": i.URL, "aud": []string{Audience}, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range claims {
		all[name] = value
	}
	token, err := jwt.Signed(i.signer).Claims(all).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return token
}

func answer(doc any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(doc)
	}
}
