package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
)

// firstDate is before all books, and late enough for the database to know its beginning in UTC.
const firstDate = "2000-01-01"

// reconcile compares the books of a date in Seoul, today when there is none.
func (h handlers) reconcile(c *fiber.Ctx) error {
	date, err := terms.ParseDate(c.Query("date", string(terms.DateOf(time.Now()))))
	var f fault.Fields
	f.Check(err == nil, "date", fault.BadFormat, "YYYY-MM-DD")
	f.Check(err != nil || date >= firstDate, "date", fault.OutOfRange, ">= "+firstDate)
	if err := f.Err(); err != nil {
		return err
	}
	result, err := h.service.Reconcile(c.UserContext(), date)
	if err != nil {
		return err
	}
	return c.JSON(result)
}
