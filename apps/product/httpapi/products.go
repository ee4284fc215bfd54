package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/web"
	"oneqtour/apps/product/domain"
)

func (a api) register(c *fiber.Ctx) error {
	doc, err := web.Decode[document](c)
	if err != nil {
		return err
	}
	product, err := a.products.Register(c.UserContext(), caller(c), doc.draft())
	if err != nil {
		return err
	}
	c.Location("/api/products/" + string(product.ID()))
	return reply(c.Status(fiber.StatusCreated), product)
}

func (a api) list(c *fiber.Ctx) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	before, _, err := web.Cursor[domain.ProductID](c)
	if err != nil {
		return err
	}
	if before != "" && !web.IsID(string(before)) {
		return web.BadCursor()
	}
	products, err := a.products.ListOf(c.UserContext(), caller(c), before, limit+1)
	if err != nil {
		return err
	}
	page := web.List[document]{Items: make([]document, 0, limit)}
	for _, p := range products[:min(limit, len(products))] {
		page.Items = append(page.Items, documentOf(p))
	}
	if len(products) > limit {
		page.NextCursor = web.Next(products[limit-1].ID())
	}
	return c.JSON(page)
}

func (a api) find(c *fiber.Ctx) error {
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	product, err := a.products.Find(c.UserContext(), domain.ProductID(id))
	if err != nil {
		return err
	}
	return reply(c, product)
}

func (a api) revise(c *fiber.Ctx) error {
	doc, err := web.Decode[document](c)
	if err != nil {
		return err
	}
	draft := doc.draft()
	if err := draft.Check(); err != nil {
		return err
	}
	seen, err := web.IfMatch(c)
	if err != nil {
		return err
	}
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	product, err := a.products.Revise(c.UserContext(), caller(c), domain.ProductID(id), seen, draft)
	if err != nil {
		return err
	}
	return reply(c, product)
}

func (a api) discontinue(c *fiber.Ctx) error {
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	if err := a.products.Discontinue(c.UserContext(), caller(c), domain.ProductID(id)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func reply(c *fiber.Ctx, p *domain.TourProduct) error {
	web.SetETag(c, p.Version())
	return c.JSON(documentOf(p))
}

func caller(c *fiber.Ctx) domain.MDID { return domain.MDID(web.Caller(c).Subject) }
