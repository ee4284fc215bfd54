package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/singleflight"

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

	discovery singleflight.Group
	verifier  atomic.Pointer[oidc.IDTokenVerifier] // nil until the issuer was first reached
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
		p, err := i.Verify(c.UserContext(), c.Get(fiber.HeaderAuthorization))
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
	token, ok := bearer(header)
	if !ok {
		return Principal{}, fault.New(fault.Unauthenticated)
	}
	verifier, err := i.connect(ctx)
	if err != nil {
		return Principal{}, fault.New(fault.Unavailable).Because(err).After(time.Second)
	}
	var keyError error
	idToken, err := verifier.Verify(context.WithValue(ctx, keyErrorKey{}, &keyError), token)
	if notJudged(keyError) {
		return Principal{}, fault.New(fault.Unavailable).Because(keyError).After(time.Second)
	}
	if err != nil {
		return Principal{}, fault.New(fault.Unauthenticated).Because(err)
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err := idToken.Claims(&claims); err != nil || !isSubject(idToken.Subject) {
		return Principal{}, fault.New(fault.Unauthenticated)
	}
	return Principal{Subject: idToken.Subject, Roles: claims.Roles}, nil
}

// notJudged: the issuer could not be asked for its keys, or not in time, which says nothing of the token.
func notJudged(keyError error) bool {
	_, unreachable := errors.AsType[*url.Error](keyError)
	return unreachable || errors.Is(keyError, context.DeadlineExceeded) || errors.Is(keyError, context.Canceled)
}

// bearer takes the token out of the header. What has not even the form of one costs nobody a question.
func bearer(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && len(token) <= maxToken && tokenForm.MatchString(token)
}

const maxToken = 8 << 10 // characters

var tokenForm = regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+$`) // base64url

// isSubject refuses names that look like another's: with blanks around them or characters that nobody sees.
func isSubject(s string) bool {
	return s != "" && len(s) <= 100 && utf8.ValidString(s) && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, unicode.IsControl)
}

// connect gives the verifier. Those who come before there is one wait for the same discovery, each no longer than
// its own deadline.
func (i *Identity) connect(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	if v := i.verifier.Load(); v != nil {
		return v, nil
	}
	discovered := i.discovery.DoChan("", func() (any, error) { return i.discover() })
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-discovered:
		v, _ := r.Val.(*oidc.IDTokenVerifier)
		return v, r.Err
	}
}

func (i *Identity) discover() (*oidc.IDTokenVerifier, error) {
	if v := i.verifier.Load(); v != nil {
		return v, nil
	}
	// Not the request's context: the key set keeps it for as long as the process lives.
	ctx := oidc.ClientContext(context.Background(), i.client)
	provider, err := oidc.NewProvider(ctx, i.issuer)
	if err != nil {
		return nil, err
	}
	var meta struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := provider.Claims(&meta); err != nil {
		return nil, err
	}
	keys := keySet{oidc.NewRemoteKeySet(ctx, meta.JWKS)}
	v := oidc.NewVerifier(i.issuer, keys, &oidc.Config{
		ClientID:             i.audience,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.PS256},
	})
	i.verifier.Store(v)
	return v, nil
}
