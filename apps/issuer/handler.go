package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/rs/zerolog"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// tokenPath is where scripts ask for tokens.
const tokenPath = "/oauth/token"

// newHandler joins the library's endpoints, the login page and the probes.
func newHandler(issuer string, store *storage, log zerolog.Logger) (http.Handler, error) {
	config := &op.Config{
		CodeMethodS256:           true,
		AuthMethodPost:           true,
		SupportedScopes:          []string{"openid", "profile"},
		SupportedClaims:          []string{"iss", "sub", "aud", "exp", "iat", "jti", "auth_time", "nonce", "azp", "name", "preferred_username", "roles"},
		DefaultLogoutRedirectURI: "/logged-out",
	}
	// The key encrypts authorization codes, which do not outlive the process either.
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, err
	}
	provider, err := op.NewProvider(config, store, op.StaticIssuer(issuer),
		op.WithAllowInsecure(), // http, on the loopback
		op.WithLogger(slog.New(zerolog.NewSlogHandler(log))),
		op.WithHttpInterceptors(noStore, answerPanics(log)),
	)
	if err != nil {
		return nil, fmt.Errorf("issuer %s: %w", issuer, err)
	}
	withIssuer := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	callback := func(r *http.Request, id string) string { return op.AuthCallbackURL(provider)(r.Context(), id) }

	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.HandleFunc("GET /login", store.showLogin)
	mux.Handle("POST /login", withIssuer.HandlerFunc(store.chooseUser(callback)))
	mux.HandleFunc("GET /logged-out", say("signed out\n"))
	mux.HandleFunc("GET /healthz", say("ok\n"))
	mux.HandleFunc("GET /readyz", say("ok\n"))
	return mux, nil
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// noStore keeps tokens out of caches (RFC 6749, section 5.1); the library leaves that to its host.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			w.Header().Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}

// answerPanics lets an answer through that was written before a panic: for a request that it cannot parse the
// library writes its refusal and then runs into a nil pointer.
func answerPanics(log zerolog.Logger) op.HttpInterceptor {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := &answerWriter{ResponseWriter: w}
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				log.Warn().Interface("cause", cause).Str("path", r.URL.Path).Bool("answered", answer.begun).Msg("panic in the library")
				if !answer.begun {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}()
			next.ServeHTTP(answer, r)
		})
	}
}

// answerWriter remembers whether an answer was begun.
type answerWriter struct {
	http.ResponseWriter
	begun bool
}

func (w *answerWriter) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}
