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

	routes := web.RoutesOf(app)
	routes.Post("/products", md, a.register)
	routes.Get("/products", md, web.Takes("limit", "cursor"), a.list)
	routes.Get("/products/:productId", a.find)
	routes.Add(fiber.MethodPut, "/products/:productId", md, a.revise)
	routes.Add(fiber.MethodDelete, "/products/:productId", md, a.discontinue)
	routes.Post("/products/:productId/departures/:departureId/closure", md, a.closeDeparture)
	routes.Get("/products/:productId/departures/:departureId/closure", md, a.findClosure)
	routes.Get("/md/notices", md, web.Takes("after", "acknowledged", "limit", "cursor"), a.notices)
	routes.Post("/md/notices/:seq/acknowledgement", md, a.acknowledge)

	if hears.Topics == nil {
		hears.Topics = map[string]web.Hear{}
	}
	hears.Topics[contract.TopicReservation] = products.HearReservation
	hears.Mount(app)
	return hears
}
