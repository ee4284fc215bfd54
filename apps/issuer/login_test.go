package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

const callbackURL = "http://127.0.0.1:8080/auth/callback"

// newBrowser follows redirects until they would leave the issuer.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(next.URL.String(), callbackURL) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

func webConfig(issuer string) oauth2.Config {
	return oauth2.Config{
		ClientID: webClient, RedirectURL: callbackURL, Scopes: []string{"openid", "profile"},
		Endpoint: oauth2.Endpoint{AuthURL: issuer + "/authorize", TokenURL: issuer + "/oauth/token"},
	}
}

// signIn visits the login page, chooses a user and gives what the callback was called with.
func signIn(t *testing.T, issuer, user, verifier string) url.Values {
	t.Helper()
	browser, config := newBrowser(t), webConfig(issuer)
	page, err := browser.Get(config.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "nonce-1")))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(page.Body)
	page.Body.Close()
	for _, offered := range []string{"md-1", "md-2", "customer-1", "customer-9", "operator-1"} {
		if !strings.Contains(string(text), `value="`+offered+`"`) {
			t.Errorf("the login page does not offer %s", offered)
		}
	}
	answer, err := browser.PostForm(issuer+"/login", url.Values{"request": {page.Request.URL.Query().Get("request")}, "user": {user}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	target, err := answer.Location()
	if err != nil || !strings.HasPrefix(target.String(), callbackURL) {
		t.Fatalf("after the login: %d, location %v (%v)", answer.StatusCode, target, err)
	}
	return target.Query()
}

func TestABrowserSignsInWithACodeAndPKCE(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	verifier, config := oauth2.GenerateVerifier(), webConfig(issuer)
	back := signIn(t, issuer, "customer-42", verifier)
	if back.Get("state") != "state-1" {
		t.Errorf("state is %q", back.Get("state"))
	}
	token, err := config.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	access := verify(t, issuer, "oneqtour", token.AccessToken)
	identity := verify(t, issuer, webClient, token.Extra("id_token"))
	if access.Subject != "customer-42" || identity.Subject != "customer-42" || identity.Nonce != "nonce-1" {
		t.Errorf("sub %s and %s, nonce %s", access.Subject, identity.Subject, identity.Nonce)
	}
	var claims, identityClaims struct{ Roles []string }
	if err := access.Claims(&claims); err != nil || len(claims.Roles) != 1 || claims.Roles[0] != "CUSTOMER" {
		t.Errorf("roles %v, %v", claims.Roles, err)
	}
	if err := identity.Claims(&identityClaims); err != nil || identityClaims.Roles != nil {
		t.Errorf("the ID token could pass for an access token: roles %v, %v", identityClaims.Roles, err)
	}
	if _, err := config.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code was good twice")
	}

	request, _ := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
	token.SetAuthHeader(request)
	if status, info := answerOf(t, http.DefaultClient, request); status != http.StatusOK || info["sub"] != "customer-42" || info["roles"] == nil {
		t.Errorf("userinfo: %d %v", status, info)
	}
}

func TestAWrongVerifierIsRefusedAndSpendsTheCode(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	verifier, config := oauth2.GenerateVerifier(), webConfig(issuer)
	code := signIn(t, issuer, "md-1", verifier).Get("code")
	status, answer := postForm(t, http.DefaultClient, issuer+"/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callbackURL}, "client_id": {webClient},
		"code_verifier": {oauth2.GenerateVerifier()},
	})
	if status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("wrong verifier: %d %v", status, answer)
	}
	if _, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code was good after a wrong verifier")
	}
}

func TestALoginWithoutPKCEIsRefused(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	config := webConfig(issuer)
	answer, err := newBrowser(t).Get(config.AuthCodeURL("state-1"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	target, err := answer.Location()
	if err != nil || target.Query().Get("error") != "invalid_request" || target.Query().Get("code") != "" {
		t.Errorf("%d %v %v", answer.StatusCode, target, err)
	}
}

func TestAForeignRedirectOrUserIsRefused(t *testing.T) {
	issuer, _ := start(t, newKeyFile(t))
	config := webConfig(issuer)
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	page, err := newBrowser(t).Get(config.AuthCodeURL("s", challenge))
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	for name, form := range map[string]url.Values{
		"unknown user":  {"request": {page.Request.URL.Query().Get("request")}, "user": {"md-3"}},
		"unknown login": {"request": {"no-such-login"}, "user": {"md-1"}},
	} {
		answer, err := http.PostForm(issuer+"/login", form)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, answer.StatusCode)
		}
	}
	config.RedirectURL = "http://evil.example/auth/callback"
	answer, err := newBrowser(t).Get(config.AuthCodeURL("s", challenge))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("foreign redirect URI: %d", answer.StatusCode)
	}
}
