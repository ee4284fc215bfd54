// Package httpapi is how the store is reached over HTTP, and how events reach it.
package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/store/usecase"
)

type api struct{ store *usecase.Service }

// Mount adds the routes of the service. Gateway's /api/store/items arrives here as /items.
func Mount(app *fiber.App, store *usecase.Service, id *web.Identity, hears web.Subscriptions) web.Subscriptions {
	a := api{store}
	routes := web.RoutesOf(app)
	routes.Get("/items", web.Takes("kind", "q", "country", "sort", "limit", "cursor"), a.list)
	routes.Get("/items/:productId", a.find)
	routes.Get("/items/:productId/quote", web.Takes("departureId", "travellers", "paymentPlan"), a.quote)
	routes.Add(fiber.MethodPatch, "/items/:productId", id.Middleware(web.RoleMD), a.arrange)

	hears.Topics = map[string]web.Hear{
		contract.TopicProduct:     store.HearProduct,
		contract.TopicReservation: store.HearReservation,
	}
	hears.Mount(app)
	return hears
}
