// Package httpapi is the inbound edge of the view: its routes, and the events that it hears.
package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/usecase"
)

type handler struct{ view *usecase.Service }

// Mount adds the routes and subscriptions of the view to the app.
func Mount(app *fiber.App, view *usecase.Service, id *web.Identity, appID, pubsub string) web.Subscriptions {
	h := handler{view}
	routes := web.RoutesOf(app)
	routes.Get("/board", web.Takes("kind", "limit", "cursor"), h.board)
	routes.Get("/md", id.Middleware(web.RoleMD), web.Takes("limit", "cursor"), h.boardOfMD)
	routes.Get("/mine", id.Middleware(web.RoleCustomer), web.Takes("after", "limit", "cursor"), h.mine)

	ops := routes.Group("/ops", web.OnlyFrom("gateway"), id.Middleware(web.RoleOperator))
	ops.Post("/rebuild", h.startRebuild)
	ops.Get("/rebuild", h.rebuilding)

	events := web.Subscriptions{
		App: appID, PubSub: pubsub,
		Topics: map[string]web.Hear{
			contract.TopicProduct:     view.HearProduct,
			contract.TopicReservation: view.HearReservation,
			contract.TopicReplay:      view.HearReplay,
		},
		Letters: letters{view, appID}, Identity: id,
	}
	events.Mount(app)
	return events
}
