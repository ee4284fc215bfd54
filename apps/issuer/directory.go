package main

import (
	"crypto/subtle"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// webClient is the client of the pages; every other client is a user who signs in by itself.
const webClient = "oneqtour-web"

// maxCustomer lets load tests have many customers without a list of them.
const maxCustomer = 99_999

var (
	errUnknownClient = errors.New("unknown client")
	errWrongSecret   = errors.New("wrong client secret")
)

// loginUsers are the users that the login page offers.
var loginUsers = []string{
	"customer-1", "customer-2", "customer-3", "customer-4", "customer-5", "customer-6", "customer-7", "customer-8",
	"customer-9", "md-1", "md-2", "operator-1",
}

// directory knows the clients, the users and what they may do.
type directory struct {
	secret     string // of every client
	redirects  []string
	logoutURIs []string
}

// rolesOf gives the roles of a user: md-1, md-2, operator-1 and customer-1 to customer-99999 exist.
func rolesOf(user string) ([]string, bool) {
	switch {
	case user == "md-1", user == "md-2":
		return []string{"MD"}, true
	case user == "operator-1":
		return []string{"OPERATOR"}, true
	}
	digits, isCustomer := strings.CutPrefix(user, "customer-")
	n, err := strconv.Atoi(digits)
	// One spelling per customer: customer-01 and customer-+1 are nobody.
	if !isCustomer || err != nil || n < 1 || n > maxCustomer || strconv.Itoa(n) != digits {
		return nil, false
	}
	return []string{"CUSTOMER"}, true
}

// client finds a client by its id.
func (d directory) client(id string) (op.Client, error) {
	if id == webClient {
		return client{id: id, grant: oidc.GrantTypeCode, auth: oidc.AuthMethodNone, redirects: d.redirects, logoutURIs: d.logoutURIs}, nil
	}
	if _, known := rolesOf(id); !known {
		return nil, errUnknownClient
	}
	return client{id: id, grant: oidc.GrantTypeClientCredentials, auth: oidc.AuthMethodBasic}, nil
}

// authenticate finds a client by its id and checks its secret.
func (d directory) authenticate(id, secret string) (op.Client, error) {
	found, err := d.client(id)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(d.secret)) != 1 {
		return nil, errWrongSecret
	}
	return found, nil
}

// client is one OAuth client, in the words that the library asks for.
type client struct {
	id         string
	grant      oidc.GrantType
	auth       oidc.AuthMethod
	redirects  []string
	logoutURIs []string
}

func (c client) GetID() string                       { return c.id }
func (c client) RedirectURIs() []string              { return c.redirects }
func (c client) PostLogoutRedirectURIs() []string    { return c.logoutURIs }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return c.auth }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType         { return []oidc.GrantType{c.grant} }
func (c client) LoginURL(request string) string       { return "/login?request=" + request }
func (c client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeJWT }
func (c client) IDTokenLifetime() time.Duration       { return tokenLifetime }
func (c client) DevMode() bool                        { return true } // redirects to plain http
func (c client) IsScopeAllowed(string) bool           { return false }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) ClockSkew() time.Duration             { return 0 }

// RestrictAdditionalIdTokenScopes restricts nothing.
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return slices.Clone[[]string]
}

// RestrictAdditionalAccessTokenScopes restricts nothing.
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return slices.Clone[[]string]
}
