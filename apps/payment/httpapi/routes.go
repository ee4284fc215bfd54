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
	h := handler{payments}
	app.Post(contract.ApprovePath, web.OnlyFrom("reservation"), h.approve)
	app.Post(contract.InquirePath, web.OnlyFrom("reservation"), h.inquire)
	app.Post(contract.PaymentTimelinePath, web.OnlyFrom("reservation"), h.timeline)
	app.Post(contract.ReconcilePath, web.OnlyFrom("reservation"), h.reconcile)
	app.Post(contract.RefundListPath, web.OnlyFrom("reservation"), h.refunds)
	app.Post(contract.RefundRetryPath, web.OnlyFrom("reservation"), h.retry)
	app.Post(contract.RefundSettlementPath, web.OnlyFrom("reservation"), h.settle)
	app.Post("/webhooks/payment", web.OnlyFrom("gateway"), h.webhook)

	events.Topics = map[string]web.Hear{contract.TopicReservation: payments.HearReservation}
	events.Mount(app)
	return events
}

type handler struct{ payments *usecase.Service }
