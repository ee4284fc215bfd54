// Package httpapi is payment's inbound edge: reservation's two calls, the provider's webhook, and events.
package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/payment/usecase"
)

// App adds payment's routes. There is no user on them: reservation asks for what a user may have left long ago.
func App(app *fiber.App, payments *usecase.Service, events web.Subscriptions) web.Subscriptions {
	h, routes := handler{payments}, web.RoutesOf(app)
	routes.Post(contract.ApprovePath, web.OnlyFrom("reservation"), h.approve)
	routes.Post(contract.InquirePath, web.OnlyFrom("reservation"), h.inquire)
	routes.Post(contract.PaymentTimelinePath, web.OnlyFrom("reservation"), h.timeline)
	routes.Post(contract.ReconcilePath, web.OnlyFrom("reservation"), h.reconcile)
	routes.Post(contract.RefundListPath, web.OnlyFrom("reservation"), h.refunds)
	routes.Post(contract.RefundRetryPath, web.OnlyFrom("reservation"), h.retry)
	routes.Post(contract.RefundSettlementPath, web.OnlyFrom("reservation"), h.settle)
	routes.Post("/webhooks/payment", web.OnlyFrom("gateway"), web.Takes(web.Anything), h.webhook)

	events.Topics = map[string]web.Hear{contract.TopicReservation: payments.HearReservation}
	events.Mount(app)
	return events
}

type handler struct{ payments *usecase.Service }
