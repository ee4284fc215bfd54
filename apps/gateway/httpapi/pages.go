package httpapi

import (
	"bytes"
	"html/template"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
)

// landing answers GET / with where to begin.
func landing(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{
		"name": "oneqtour",
		"links": fiber.Map{
			"store": "/api/store/items", "board": "/api/view/board", "problem": "/problems/" + string(fault.NotFound),
		},
	})
}

var problemPage = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Code}}</title><h1>{{.Title}}</h1><p>{{.Detail}}</p><p><code>{{.Status}} {{.Code}}</code></p></html>
`))

type explanation struct {
	Code   string `json:"code"`
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Lang   string `json:"-"`
}

// explain answers GET /problems/{code}, the address in the type of every problem document: a page for a
// browser, JSON for everybody else.
func explain(c *fiber.Ctx) error {
	doc := explanation{Code: c.Params("code"), Lang: "en"}
	korean := web.Korean(c)
	if korean {
		doc.Lang = "ko"
	}
	p, known := web.Explain(doc.Code, korean)
	if !known {
		return fault.New(fault.NotFound)
	}
	doc.Status, doc.Title, doc.Detail = p.Status, p.Title, p.Detail
	c.Set(fiber.HeaderContentLanguage, doc.Lang)
	c.Vary(fiber.HeaderAccept, fiber.HeaderAcceptLanguage)
	if c.Accepts(fiber.MIMEApplicationJSON, fiber.MIMETextHTML) != fiber.MIMETextHTML {
		return c.JSON(doc)
	}
	var page bytes.Buffer
	if err := problemPage.Execute(&page, doc); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(page.Bytes())
}
