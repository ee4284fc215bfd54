package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

// Roles of callers.
const (
	RoleMD       = "MD"
	RoleCustomer = "CUSTOMER"
	RoleOperator = "OPERATOR"
)

// Principal is the caller by the word of the issuer.
type Principal struct {
	Subject string
	Roles   []string
}

// Has says whether the caller has the role.
func (p Principal) Has(role string) bool { return slices.Contains(p.Roles, role) }

// Identity verifies bearer tokens against the keys of an OpenID issuer. Discovery and keys are fetched when
// first needed and cached; a service starts, and known keys keep working, while the issuer is away.
type Identity struct {
	issuer, audience string
	client           *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
}

// NewIdentity names the issuer and the audience that tokens must be for.
func NewIdentity(issuer, audience string) *Identity {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &briefly{next: http.DefaultTransport}}
	return &Identity{issuer: issuer, audience: audience, client: client}
}

type (
	principalKey struct{}
	keyErrorKey  struct{}
)

// Middleware lets only callers with a valid token and at least one of the roles pass; no role means that any
// caller with a token may.
func (i *Identity) Middleware(roles ...string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		p, err := i.verify(c.UserContext(), c.Get(fiber.HeaderAuthorization))
		if err != nil {
			return err
		}
		if len(roles) > 0 && !slices.ContainsFunc(roles, p.Has) {
			return fault.New(fault.WrongRole)
		}
		c.SetUserContext(context.WithValue(c.UserContext(), principalKey{}, p))
		return c.Next()
	}
}

// Caller is the principal that Middleware has let pass.
func Caller(c *fiber.Ctx) Principal {
	p, _ := c.UserContext().Value(principalKey{}).(Principal)
	return p
}

// Verify gives the caller by the header Authorization. UNAUTHENTICATED: no valid token; UNAVAILABLE: it cannot
// be judged now.
func (i *Identity) Verify(ctx context.Context, header string) (Principal, error) {
	return i.verify(ctx, header)
}

func (i *Identity) verify(ctx context.Context, header string) (Principal, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Principal{}, fault.New(fault.Unauthenticated)
	}
	verifier, err := i.connect()
	if err != nil {
		return Principal{}, fault.New(fault.Unavailable).Because(err).After(time.Second)
	}
	var keyError error
	idToken, err := verifier.Verify(context.WithValue(ctx, keyErrorKey{}, &keyError), strings.TrimSpace(token))
	if _, noKeys := errors.AsType[*url.Error](keyError); noKeys {
		return Principal{}, fault.New(fault.Unavailable).Because(keyError).After(time.Second)
	}
	if err != nil {
		return Principal{}, fault.New(fault.Unauthenticated).Because(err)
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err := idToken.Claims(&claims); err != nil || idToken.Subject == "" || len(idToken.Subject) > 100 {
		return Principal{}, fault.New(fault.Unauthenticated)
	}
	return Principal{Subject: idToken.Subject, Roles: claims.Roles}, nil
}

func (i *Identity) connect() (*oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil {
		return i.verifier, nil
	}
	// Not the request's context: the key set keeps it for as long as the process lives.
	ctx := oidc.ClientContext(context.Background(), i.client)
	provider, err := oidc.NewProvider(ctx, i.issuer)
	if err != nil {
		return nil, err
	}
	var meta struct {
		JWKS string   `json:"jwks_uri"`
		Algs []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&meta); err != nil {
		return nil, err
	}
	keys := keySet{oidc.NewRemoteKeySet(ctx, meta.JWKS)}
	i.verifier = oidc.NewVerifier(i.issuer, keys, &oidc.Config{
		ClientID:             i.audience,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256},
	})
	return i.verifier, nil
}
