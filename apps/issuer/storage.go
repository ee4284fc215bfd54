package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	tokenLifetime = time.Hour
	loginLifetime = 10 * time.Minute // from the redirect to the login page until the code is redeemed
)

var (
	errNoLogin      = errors.New("this login is unknown or has expired")
	errNotSupported = errors.New("not supported by the development issuer")
)

// storage is what the library keeps between two requests. Logins live in memory: a restart loses those that
// are half done. Tokens are signed, not stored, so there is nothing to revoke or refresh.
type storage struct {
	key      signingKey
	clients  directory
	audience string

	mu     sync.Mutex
	logins map[string]*login // by id
	codes  map[string]string // code to id of the login
}

var (
	_ op.Storage                   = (*storage)(nil)
	_ op.ClientCredentialsStorage  = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest = (*storage)(nil)
)

func newStorage(key signingKey, clients directory, audience string) *storage {
	return &storage{key: key, clients: clients, audience: audience, logins: map[string]*login{}, codes: map[string]string{}}
}

// CreateAuthRequest begins a login. Without PKCE and S256 it is refused.
func (s *storage) CreateAuthRequest(_ context.Context, request *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if len(request.Prompt) == 1 && request.Prompt[0] == oidc.PromptNone {
		return nil, oidc.ErrLoginRequired() // every login asks who it is
	}
	if request.CodeChallenge == "" || request.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("code_challenge with code_challenge_method S256 is required")
	}
	begun := &login{id: uuid.NewString(), request: request, audience: []string{request.ClientID, s.audience}, begun: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetExpired()
	s.logins[begun.id] = begun
	return *begun, nil
}

// forgetExpired needs the lock.
func (s *storage) forgetExpired() {
	for code, id := range s.codes {
		if s.logins[id].expired() {
			delete(s.codes, code)
		}
	}
	for id, l := range s.logins {
		if l.expired() {
			delete(s.logins, id)
		}
	}
}

// choose ends the login page: this user it is.
func (s *storage) choose(id, user string) error {
	if _, known := rolesOf(user); !known {
		return errUnknownClient
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logins[id]
	if l.expired() {
		return errNoLogin
	}
	l.user, l.at = user, time.Now()
	return nil
}

// AuthRequestByID gives a copy of the login.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logins[id]
	if l.expired() {
		return nil, errNoLogin
	}
	return *l, nil
}

// AuthRequestByCode spends the code: it works once, also when what follows (PKCE, redirect URI) is refused.
func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.codes[code]
	l := s.logins[id]
	delete(s.codes, code)
	delete(s.logins, id)
	if l.expired() {
		return nil, errNoLogin
	}
	return *l, nil
}

// SaveAuthCode gives the login its code.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logins[id].expired() {
		return errNoLogin
	}
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest finds it gone already: the code was spent when it was shown.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken names the token and says until when it is good.
func (s *storage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return uuid.NewString(), time.Now().Add(tokenLifetime), nil
}

// SigningKey signs the tokens.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

// SignatureAlgorithms is RS256 alone.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet is what the JWKS shows.
func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.key}}, nil
}

// Health is always good: there is nothing behind this program.
func (s *storage) Health(context.Context) error { return nil }
