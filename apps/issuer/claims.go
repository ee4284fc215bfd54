package main

import (
	"context"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// ClientCredentials authenticates a client that asks for a token of its own.
func (s *storage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	return s.clients.authenticate(id, secret)
}

// ClientCredentialsTokenRequest makes the client id the subject.
func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	return tokenRequest{subject: id, audience: []string{s.audience}, scopes: scopes}, nil
}

// GetClientByClientID finds a client.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	return s.clients.client(id)
}

// AuthorizeClientIDSecret checks the secret of a client.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	_, err := s.clients.authenticate(id, secret)
	return err
}

// GetPrivateClaimsFromScopes puts the roles into every access token, whatever scope was asked for.
func (s *storage) GetPrivateClaimsFromScopes(_ context.Context, user, _ string, _ []string) (map[string]any, error) {
	roles, known := rolesOf(user)
	if !known {
		return nil, errUnknownClient
	}
	return map[string]any{"roles": roles}, nil
}

// SetUserinfoFromRequest fills the ID token. It carries no roles: the library gives it the audience of the
// access token, and an ID token must not pass for one.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	info.Subject = request.GetSubject()
	if slices.Contains(scopes, oidc.ScopeProfile) {
		info.Name, info.PreferredUsername = info.Subject, info.Subject
	}
	return nil
}

// SetUserinfoFromToken answers the userinfo endpoint.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, _, subject, _ string) error {
	roles, known := rolesOf(subject)
	if !known {
		return errUnknownClient
	}
	info.Subject, info.Name, info.PreferredUsername = subject, subject, subject
	info.AppendClaims("roles", roles)
	return nil
}

// SetUserinfoFromScopes is the library's older form of SetUserinfoFromRequest.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetIntrospectionFromToken tells the holder of a token of this issuer what is in it.
func (s *storage) SetIntrospectionFromToken(_ context.Context, answer *oidc.IntrospectionResponse, _, subject, _ string) error {
	answer.Active, answer.Subject = true, subject
	return nil
}

// tokenRequest is what a client credentials token is made from.
type tokenRequest struct {
	subject          string
	audience, scopes []string
}

func (r tokenRequest) GetSubject() string    { return r.subject }
func (r tokenRequest) GetAudience() []string { return r.audience }
func (r tokenRequest) GetScopes() []string   { return r.scopes }

// What follows belongs to grants that this issuer does not offer.

// CreateAccessAndRefreshTokens is never reached: no client has the refresh grant.
func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNotSupported
}

// TokenRequestByRefreshToken is never reached: no client has the refresh grant.
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errNotSupported
}

// GetRefreshTokenInfo knows no refresh token.
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// RevokeToken refuses: a signed token is good until it expires.
func (s *storage) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrInvalidRequest().WithDescription("tokens of this issuer cannot be revoked; they expire")
}

// TerminateSession has nothing to end: every login asks who it is.
func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

// GetKeyByIDAndClientID knows no client key.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotSupported
}

// ValidateJWTProfileScopes is never reached: no client has a key.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotSupported
}
