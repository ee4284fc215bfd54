package main

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// login is one visit of a browser, from the redirect to the login page until its code is redeemed.
type login struct {
	id       string
	request  *oidc.AuthRequest
	audience []string
	begun    time.Time
	user     string    // empty until chosen
	at       time.Time // when the user was chosen
}

// expired is true for a login that there is not.
func (l *login) expired() bool { return l == nil || time.Since(l.begun) > loginLifetime }

func (l login) GetID() string                      { return l.id }
func (l login) GetACR() string                     { return "" }
func (l login) GetAMR() []string                   { return nil }
func (l login) GetAudience() []string              { return l.audience }
func (l login) GetAuthTime() time.Time             { return l.at }
func (l login) GetClientID() string                { return l.request.ClientID }
func (l login) GetNonce() string                   { return l.request.Nonce }
func (l login) GetRedirectURI() string             { return l.request.RedirectURI }
func (l login) GetResponseType() oidc.ResponseType { return l.request.ResponseType }
func (l login) GetResponseMode() oidc.ResponseMode { return l.request.ResponseMode }
func (l login) GetScopes() []string                { return l.request.Scopes }
func (l login) GetState() string                   { return l.request.State }
func (l login) GetSubject() string                 { return l.user }
func (l login) Done() bool                         { return l.user != "" }

// GetCodeChallenge is what the verifier is checked against.
func (l login) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: l.request.CodeChallenge, Method: l.request.CodeChallengeMethod}
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>oneqtour 개발용 로그인</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}
button{font:inherit;padding:.5rem 1rem;margin:.2rem}input{font:inherit;padding:.5rem}</style>
<h1>누구로 로그인할까요?</h1>
<p lang="en">Development sign-in: choose a user, no password is asked.</p>
<form method="post" action="/login"><input type="hidden" name="request" value="{{.Request}}">
{{range .Users}}<button name="user" value="{{.}}">{{.}}</button>{{end}}</form>
<form method="post" action="/login"><input type="hidden" name="request" value="{{.Request}}">
<p><label>다른 고객 <span lang="en">Another customer</span>
<input name="user" placeholder="customer-42" pattern="customer-[1-9][0-9]{0,4}" required></label> <button>로그인</button></p></form>
</html>`))

// showLogin lists the users to choose from.
func (s *storage) showLogin(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("request")
	if _, err := s.AuthRequestByID(r.Context(), id); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	// An error here is a browser that went away.
	_ = loginPage.Execute(w, map[string]any{"Request": id, "Users": loginUsers})
}

// chooseUser takes the choice and hands the browser back to the library, which redirects it with a code.
func (s *storage) chooseUser(callback func(r *http.Request, id string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PostFormValue("request")
		if err := s.choose(id, r.PostFormValue("user")); err != nil {
			if errors.Is(err, errUnknownClient) {
				err = errors.New("there is no such user")
			}
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, callback(r, id), http.StatusSeeOther)
	}
}
