// Package httpapi is how products are reached over HTTP, and how events reach the MD's inbox.
package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/product/usecase"
)

type api struct{ products *usecase.Service }

// Mount adds the routes of the service. Gateway's /api/products and /api/md arrive here without /api.
func Mount(app *fiber.App, products *usecase.Service, id *web.Identity, hears web.Subscriptions) web.Subscriptions {
	a := api{products}
	md := id.Middleware(web.RoleMD)

	app.Post("/products", md, a.register)
	app.Get("/products", md, a.list)
	app.Get("/products/:productId", a.find)
	app.Put("/products/:productId", md, a.revise)
	app.Delete("/products/:productId", md, a.discontinue)
	app.Post("/products/:productId/departures/:departureId/closure", md, a.closeDeparture)
	app.Get("/products/:productId/departures/:departureId/closure", md, a.findClosure)
	app.Get("/md/notices", md, a.notices)
	app.Post("/md/notices/:seq/acknowledgement", md, a.acknowledge)

	hears.Topics = map[string]web.Hear{contract.TopicReservation: products.HearReservation}
	hears.Mount(app)
	return hears
}
