// Package httpapi is reservation's inbound edge over HTTP.
package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/usecase"
)

// Mount adds the routes of reservation.
func Mount(app *fiber.App, id *web.Identity, s *usecase.Service, subscriptions web.Subscriptions) web.Subscriptions {
	h, routes := handlers{s}, web.RoutesOf(app)
	page, inState := web.Takes("limit", "cursor"), web.Takes("status", "limit", "cursor")
	// Before the group: this one is not for customers.
	routes.Post("/reservations/:id/no-show", id.Middleware(web.RoleMD, web.RoleOperator), h.noShow)
	own := routes.Group("/reservations", id.Middleware(web.RoleCustomer))
	own.Post("/", h.reserve)
	own.Get("/", page, h.list)
	own.Get("/:id", h.get)
	own.Get("/:id/history", h.history)
	own.Get("/:id/cancellation-quote", h.quote)
	own.Post("/:id/cancellation", h.cancel)

	ops := routes.Group("/ops", id.Middleware(web.RoleOperator))
	ops.Post("/reservations/:id/waiver", h.decideWaiver)
	ops.Get("/reservations", web.Takes("stuckLongerThan", "limit", "cursor"), h.listStuck)
	ops.Get("/reservations/:id", h.story)
	ops.Get("/reconciliation", web.Takes("date"), h.reconcile)
	ops.Get("/refunds", inState, h.listRefunds)
	ops.Post("/refunds/:id/retry", h.retryRefund)
	ops.Post("/refunds/:id/settlement", h.settleRefund)
	ops.Get("/waivers", inState, h.listWaivers)
	ops.Get("/compensations", inState, h.listCompensations)
	ops.Post("/compensations/:id/payment", h.payCompensation)

	if subscriptions.Topics == nil {
		subscriptions.Topics = map[string]web.Hear{}
	}
	subscriptions.Topics[contract.TopicProduct] = s.ProductChanged
	subscriptions.Topics[contract.TopicPayment] = s.PaymentHeard
	subscriptions.Mount(app)
	return subscriptions
}

type handlers struct{ service *usecase.Service }
