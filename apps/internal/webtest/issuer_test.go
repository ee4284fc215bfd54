package webtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/web"
)

// The tokens of this package must be judged by the real verifier, or tests that use them prove nothing.
func TestK6_TokensAreJudgedByTheirSignatureTimeAudienceAndRole(t *testing.T) {
	issuer, stranger := Issuer(t), Issuer(t)
	app := web.NewApp(web.Options{AppID: "test", Log: zerolog.Nop()})
	id := web.NewIdentity(issuer.URL, Audience)
	app.Get("/md", id.Middleware(web.RoleMD), func(c *fiber.Ctx) error {
		return c.SendString(web.Caller(c).Subject)
	})

	cases := map[string]struct {
		authorization string
		want          int
	}{
		"right role":       {issuer.Bearer("md-1", web.RoleMD), http.StatusOK},
		"wrong role":       {issuer.Bearer("customer-1", web.RoleCustomer), http.StatusForbidden},
		"no token":         {"", http.StatusUnauthorized},
		"expired":          {"Bearer " + issuer.Sign(map[string]any{"sub": "md-1", "exp": time.Now().Add(-time.Hour).Unix()}), http.StatusUnauthorized},
		"another audience": {"Bearer " + issuer.Sign(map[string]any{"sub": "md-1", "aud": "bank"}), http.StatusUnauthorized},
		"another's key":    {"Bearer " + stranger.Sign(map[string]any{"sub": "md-1", "iss": issuer.URL}), http.StatusUnauthorized},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodGet, "/md", nil)
			req.Header.Set("Authorization", c.authorization)
			res, err := app.Test(req, 5000)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != c.want {
				t.Errorf("status %d, want %d", res.StatusCode, c.want)
			}
		})
	}
}
