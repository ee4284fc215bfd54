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
	app.Get("/board", h.board)
	app.Get("/md", id.Middleware(web.RoleMD), h.boardOfMD)
	app.Get("/mine", id.Middleware(web.RoleCustomer), h.mine)

	events := web.Subscriptions{
		App: appID, PubSub: pubsub,
		Topics: map[string]web.Hear{
			contract.TopicProduct:     view.HearProduct,
			contract.TopicReservation: view.HearReservation,
		},
		Letters: letters{view, appID}, Identity: id,
	}
	events.Mount(app)
	return events
}
