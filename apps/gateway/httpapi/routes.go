// Package httpapi is the gateway: the table of public routes, the checks before a service is called, and the
// call itself.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/web"
)

// route is one line of the public API: who may call it, and which service answers it where.
type route struct {
	method, path string
	app, target  string // path of the service; its parameters are those of the public path; app "": the letter's id names it
	roles        []string
}

var (
	md       = []string{web.RoleMD}
	customer = []string{web.RoleCustomer}
	operator = []string{web.RoleOperator}
	host     = []string{web.RoleMD, web.RoleOperator}
	anyone   []string
)

// routes is the whole public API, but for the list of dead letters, which asks several services. Parameters are
// UUIDs, but for {seq}, a number, and {letterId}, {app}:{id}; anything else is no such path.
var routes = []route{
	{http.MethodGet, "/api/products", "product", "/products", md},
	{http.MethodPost, "/api/products", "product", "/products", md},
	{http.MethodGet, "/api/products/:productId", "product", "/products/:productId", anyone},
	{http.MethodPut, "/api/products/:productId", "product", "/products/:productId", md},
	{http.MethodDelete, "/api/products/:productId", "product", "/products/:productId", md},
	{http.MethodGet, "/api/products/:productId/departures/:departureId/closure", "product", "/products/:productId/departures/:departureId/closure", md},
	{http.MethodPost, "/api/products/:productId/departures/:departureId/closure", "product", "/products/:productId/departures/:departureId/closure", md},
	{http.MethodGet, "/api/md/notices", "product", "/md/notices", md},
	{http.MethodPost, "/api/md/notices/:seq/acknowledgement", "product", "/md/notices/:seq/acknowledgement", md},

	{http.MethodGet, "/api/store/items", "store", "/items", anyone},
	{http.MethodGet, "/api/store/items/:productId", "store", "/items/:productId", anyone},
	{http.MethodPatch, "/api/store/items/:productId", "store", "/items/:productId", md},
	{http.MethodGet, "/api/store/items/:productId/quote", "store", "/items/:productId/quote", anyone},

	{http.MethodGet, "/api/reservations", "reservation", "/reservations", customer},
	{http.MethodPost, "/api/reservations", "reservation", "/reservations", customer},
	{http.MethodGet, "/api/reservations/:reservationId", "reservation", "/reservations/:reservationId", customer},
	{http.MethodGet, "/api/reservations/:reservationId/history", "reservation", "/reservations/:reservationId/history", customer},
	{http.MethodGet, "/api/reservations/:reservationId/cancellation-quote", "reservation", "/reservations/:reservationId/cancellation-quote", customer},
	{http.MethodPost, "/api/reservations/:reservationId/cancellation", "reservation", "/reservations/:reservationId/cancellation", customer},
	{http.MethodPost, "/api/reservations/:reservationId/no-show", "reservation", "/reservations/:reservationId/no-show", host},

	{http.MethodGet, "/api/view/board", "viewpage", "/board", anyone},
	{http.MethodGet, "/api/view/mine", "viewpage", "/mine", customer},
	{http.MethodGet, "/api/view/md", "viewpage", "/md", md},

	{http.MethodGet, "/api/ops/reservations", "reservation", "/ops/reservations", operator},
	{http.MethodGet, "/api/ops/reservations/:reservationId", "reservation", "/ops/reservations/:reservationId", operator},
	{http.MethodPost, "/api/ops/reservations/:reservationId/waiver", "reservation", "/ops/reservations/:reservationId/waiver", operator},
	{http.MethodGet, "/api/ops/waivers", "reservation", "/ops/waivers", operator},
	{http.MethodGet, "/api/ops/refunds", "reservation", "/ops/refunds", operator},
	{http.MethodPost, "/api/ops/refunds/:refundId/retry", "reservation", "/ops/refunds/:refundId/retry", operator},
	{http.MethodPost, "/api/ops/refunds/:refundId/settlement", "reservation", "/ops/refunds/:refundId/settlement", operator},
	{http.MethodGet, "/api/ops/compensations", "reservation", "/ops/compensations", operator},
	{http.MethodPost, "/api/ops/compensations/:reservationId/payment", "reservation", "/ops/compensations/:reservationId/payment", operator},
	{http.MethodGet, "/api/ops/reconciliation", "reservation", "/ops/reconciliation", operator},
	{http.MethodPost, "/api/ops/view/rebuild", "viewpage", "/ops/rebuild", operator},
	{http.MethodGet, "/api/ops/view/rebuild", "viewpage", "/ops/rebuild", operator},
	{http.MethodPost, "/api/ops/dead-letters/:letterId/replay", "", "/dead-letters/:letterId/replay", operator},

	{http.MethodPost, "/webhooks/payment", "payment", "/webhooks/payment", anyone},
}

// takes is the query members of the routes that have any, as the services read them.
var takes = map[string][]string{
	"GET /api/products":                     {"limit", "cursor"},
	"GET /api/md/notices":                   {"after", "acknowledged", "limit", "cursor"},
	"GET /api/store/items":                  {"kind", "q", "country", "sort", "limit", "cursor"},
	"GET /api/store/items/:productId/quote": {"departureId", "travellers", "paymentPlan"},
	"GET /api/reservations":                 {"limit", "cursor"},
	"GET /api/view/board":                   {"kind", "limit", "cursor"},
	"GET /api/view/mine":                    {"after", "limit", "cursor"},
	"GET /api/view/md":                      {"limit", "cursor"},
	"GET /api/ops/reservations":             {"stuckLongerThan", "limit", "cursor"},
	"GET /api/ops/waivers":                  {"status", "limit", "cursor"},
	"GET /api/ops/refunds":                  {"status", "limit", "cursor"},
	"GET /api/ops/compensations":            {"status", "limit", "cursor"},
	"GET /api/ops/reconciliation":           {"date"},
	"POST /webhooks/payment":                {web.Anything}, // called as it was entered at the provider
}

// patience is what routes may take that are not answered within the usual deadline.
var patience = map[string]time.Duration{"/api/ops/reconciliation": time.Minute}

// Services is how the gateway calls a service.
type Services interface {
	Invoke(ctx context.Context, r sidecar.Request) (sidecar.Response, error)
}

// Gateway is what the routes need.
type Gateway struct {
	Services Services
	Identity *web.Identity
	Subjects *Limiter // by subject of a valid token
	Sources  *Limiter // by address, for all others
}

// Mount adds the routes to the app.
func Mount(app *fiber.App, g Gateway) {
	app.Use(secure, g.admit)
	public := web.RoutesOf(app)
	public.Get("/", landing)
	public.Get("/problems/:code", explain)
	public.Get("/api/ops/dead-letters", only(operator), web.TakesLetters, g.deadLetters)
	for _, r := range routes {
		handlers := []fiber.Handler{only(r.roles), web.Takes(takes[r.method+" "+r.path]...), g.forward(r)}
		public.Add(r.method, r.path, handlers...)
		if r.method == http.MethodGet {
			public.Add(http.MethodHead, r.path, handlers...)
		}
	}
}

// secure sets what every answer of a public API says to browsers.
func secure(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderCacheControl, "no-store") // unless a service says otherwise
	return c.Next()
}
