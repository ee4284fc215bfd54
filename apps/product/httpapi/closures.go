package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

type closureRequest struct {
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

type closureAnswer struct {
	Reason   string `json:"reason"`
	Note     string `json:"note,omitempty"`
	ClosedOn string `json:"closedOn"`
	Total    int    `json:"total"`
	Done     int    `json:"done"`
	Failed   int    `json:"failed"`
}

func answerOf(r usecase.ClosureReport) closureAnswer {
	return closureAnswer{Reason: string(r.Reason), Note: r.Note, ClosedOn: string(r.ClosedOn),
		Total: r.Total, Done: r.Done, Failed: r.Failed}
}

func (a api) closeDeparture(c *fiber.Ctx) error {
	request, err := web.Decode[closureRequest](c)
	if err != nil {
		return err
	}
	if err := domain.CheckClosure(domain.ClosureReason(request.Reason), request.Note); err != nil {
		return err
	}
	product, departure, err := departurePath(c)
	if err != nil {
		return err
	}
	report, err := a.products.CloseDeparture(c.UserContext(), caller(c), product, departure,
		domain.ClosureReason(request.Reason), request.Note)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(answerOf(report))
}

func (a api) findClosure(c *fiber.Ctx) error {
	product, departure, err := departurePath(c)
	if err != nil {
		return err
	}
	report, err := a.products.FindClosure(c.UserContext(), caller(c), product, departure)
	if err != nil {
		return err
	}
	return c.JSON(answerOf(report))
}

func departurePath(c *fiber.Ctx) (domain.ProductID, domain.DepartureID, error) {
	product, err := web.PathID(c, "productId")
	if err != nil {
		return "", "", err
	}
	departure, err := web.PathID(c, "departureId")
	if err != nil {
		return "", "", fault.New(fault.NotFound)
	}
	return domain.ProductID(product), domain.DepartureID(departure), nil
}
