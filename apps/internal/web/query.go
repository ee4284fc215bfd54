package web

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

// Routes adds routes to an app that take no query members but those that they name by Takes. A member that nobody
// reads would be a wish that is silently not granted. Routes for our own sidecar and for probes are not added
// here: they take what they are asked.
type Routes struct{ to fiber.Router }

// RoutesOf adds to an app.
func RoutesOf(app *fiber.App) Routes { return Routes{app} }

// Add adds a route. The last handler answers it; the query is checked just before, when those in front of it have
// found that the caller may ask at all.
func (r Routes) Add(method, path string, handlers ...fiber.Handler) {
	last := len(handlers) - 1
	answer := handlers[last]
	r.to.Add(method, path, append(slices.Clone(handlers[:last]), func(c *fiber.Ctx) error {
		if query := c.Context().URI().QueryString(); len(query) > 0 {
			taken, _ := c.Locals(takenKey{}).([]string)
			if err := checkQuery(string(query), taken); err != nil {
				return err
			}
		}
		return answer(c)
	})...)
}

// Get adds a route for GET and HEAD.
func (r Routes) Get(path string, handlers ...fiber.Handler) {
	r.Add(fiber.MethodHead, path, handlers...)
	r.Add(fiber.MethodGet, path, handlers...)
}

// Post adds a route for POST.
func (r Routes) Post(path string, handlers ...fiber.Handler) {
	r.Add(fiber.MethodPost, path, handlers...)
}

// Group adds below a prefix, behind handlers that all of the group share.
func (r Routes) Group(prefix string, handlers ...fiber.Handler) Routes {
	return Routes{r.to.Group(prefix, handlers...)}
}

type takenKey struct{}

// Anything is what a route takes whose callers are told by others how to call it.
const Anything = "*"

// Takes names the query members that a route takes, each of them once. It stands anywhere before the last handler.
func Takes(members ...string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Locals(takenKey{}, members)
		return c.Next()
	}
}

// checkQuery refuses, with 400 MALFORMED and all their names, members that are unknown, repeated or no UTF-8.
func checkQuery(query string, taken []string) error {
	if slices.Contains(taken, Anything) {
		return nil
	}
	members, err := url.ParseQuery(query)
	if err != nil {
		return fault.New(fault.Malformed).Because(err)
	}
	var wrong fault.Fields
	for _, name := range slices.Sorted(maps.Keys(members)) {
		values := members[name]
		if !slices.Contains(taken, name) {
			wrong.Check(false, short(name), fault.UnknownName, "")
			continue
		}
		wrong.Check(len(values) == 1, name, fault.Duplicate, "")
		wrong.Check(utf8.ValidString(values[0]), name, fault.BadFormat, "UTF-8")
	}
	return malformed(wrong)
}

// malformed is a refusal of members that cannot even be read; nil when there are none.
func malformed(wrong fault.Fields) error {
	if len(wrong) == 0 {
		return nil
	}
	return &fault.Error{Code: fault.Malformed, Fields: wrong}
}

// Integer reads a query member; given is false when it is absent or empty. 400 MALFORMED: it is no integer. One
// beyond an int64 is cut to that: it is out of any range, too.
func Integer(c *fiber.Ctx, name string) (n int64, given bool, err error) {
	text := c.Query(name)
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.ParseInt(text, 10, 64)
	var wrong fault.Fields
	wrong.Check(err == nil || errors.Is(err, strconv.ErrRange), name, fault.BadFormat, "integer")
	return n, true, malformed(wrong)
}

// Boolean reads a query member, true or false; given is false when it is absent or empty. 400 MALFORMED: it is
// neither.
func Boolean(c *fiber.Ctx, name string) (is, given bool, err error) {
	text := c.Query(name)
	var wrong fault.Fields
	wrong.Check(text == "" || text == "true" || text == "false", name, fault.BadFormat, "true, false")
	return text == "true", text != "", malformed(wrong)
}
