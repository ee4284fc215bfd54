package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
)

// forward answers a route by calling its service.
func (g Gateway) forward(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		req, err := requestFor(c, r)
		if err != nil {
			return err
		}
		ctx := c.UserContext()
		if longer, ok := patience[r.path]; ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), longer)
			defer cancel()
		}
		res, err := g.call(ctx, req)
		if err != nil {
			return unanswered(err)
		}
		return reply(c, res)
	}
}

// repeats of a call that certainly did not arrive, at once: a replica that has died stays in the resolver's
// memory for a while, and the next try finds another one.
const repeats = 2

// call repeats what was not delivered, when the caller has made it safe to repeat. A time-out is never
// repeated: nobody knows what became of the call.
func (g Gateway) call(ctx context.Context, req sidecar.Request) (sidecar.Response, error) {
	for n := 0; ; n++ {
		res, err := g.Services.Invoke(ctx, req)
		undelivered, ok := errors.AsType[*sidecar.Undelivered](err)
		if !ok || undelivered.Refused || n == repeats || !repeatable(req) || ctx.Err() != nil {
			return res, err
		}
		zerolog.Ctx(ctx).Warn().Err(err).Msg("call is repeated")
	}
}

func repeatable(req sidecar.Request) bool {
	return req.Method == http.MethodGet || req.Header.Get("Idempotency-Key") != "" || req.Header.Get("If-Match") != ""
}

// unanswered turns a failed call into what the client is told: to ask again, with the same key. Not BUSY, which
// says that nothing was charged: an earlier request with this key may have been.
func unanswered(err error) error {
	if rejected, ok := errors.AsType[*sidecar.Rejected](err); ok {
		if rejected.Status == http.StatusRequestEntityTooLarge {
			return fault.New(fault.TooLarge).Because(err)
		}
		return fault.New(fault.Malformed).Because(err)
	}
	return fault.New(fault.Unavailable).Because(err).After(time.Second)
}

// What the sidecars take on the way is less than what a client may send us: they would refuse it, and nobody would
// know why.
const (
	maxAddress = 4 << 10 // characters of path and query, written anew
	maxHeader  = 1 << 10 // of the values of a header
)

// requestFor makes the service's request out of the client's: a path built from the table and checked
// parameters alone, a query written anew, and the headers that services read. What is wrong with the body is said
// before what is wrong with the path.
func requestFor(c *fiber.Ctx, r route) (sidecar.Request, error) {
	req := sidecar.Request{App: r.app, Method: r.method}
	var err error
	if req.Header, err = headersFor(c); err != nil {
		return req, err
	}
	query, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return req, fault.New(fault.Malformed).Because(err)
	}
	if r.method != http.MethodGet && r.method != http.MethodDelete {
		if req.Body, err = web.Body(c); err != nil {
			return req, err
		}
	}
	if req.Path, err = targetPath(c, r.target); err != nil {
		if len(req.Body) > 0 {
			return req, cmp.Or(web.CheckJSON(c, req.Body), err)
		}
		return req, err
	}
	if req.App == "" {
		req.App, _, _ = strings.Cut(letterID(c), ":")
	}
	if len(query) > 0 {
		req.Path += "?" + query.Encode()
	}
	if len(req.Path) > maxAddress {
		return req, fault.New(fault.Malformed)
	}
	return req, nil
}

// targetPath fills in the parameters. One that is not what its name promises names nothing, so no text of a
// client ever becomes part of a path that it did not choose from the table.
func targetPath(c *fiber.Ctx, target string) (string, error) {
	segments := strings.Split(target, "/")
	for i, segment := range segments {
		name, isParameter := strings.CutPrefix(segment, ":")
		if !isParameter {
			continue
		}
		value := c.Params(name)
		good := false
		switch name {
		case "seq":
			n, err := strconv.ParseInt(value, 10, 64)
			good = err == nil && strconv.FormatInt(n, 10) == value && n >= 1
		case "letterId":
			value = letterID(c)
			good = value != ""
		default:
			good = web.IsID(value)
		}
		if !good {
			return "", fault.New(fault.NotFound)
		}
		segments[i] = url.PathEscape(value)
	}
	return strings.Join(segments, "/"), nil
}

// What a client may tell a service. Nothing of Dapr's is among them: an app id in a client's header would be
// believed. The last one numbers the deliveries of the payment provider's webhook.
var requestHeaders = []string{
	"Content-Type", "Accept", "Accept-Language", "Idempotency-Key", "If-Match", "If-None-Match",
	"Tosspayments-Webhook-Transmission-Id",
}

func headersFor(c *fiber.Ctx) (http.Header, error) {
	h := http.Header{}
	for _, name := range requestHeaders {
		size := 0
		for _, value := range c.Request().Header.PeekAll(name) {
			h.Add(name, string(value))
			size += len(value)
		}
		if size > maxHeader {
			return nil, fault.New(fault.Malformed)
		}
	}
	// Exactly the one value that was verified.
	if token := c.Get(fiber.HeaderAuthorization); token != "" {
		h.Set(fiber.HeaderAuthorization, token)
	}
	h.Set(contract.HeaderCorrelation, telemetry.Correlation(c.UserContext()))
	h.Set("Traceparent", telemetry.Trace(c.UserContext()))
	return h, nil
}

// What a service may tell a client. A Location is written as clients know it, by the service.
var responseHeaders = []string{
	"Content-Type", "ETag", "Location", "Retry-After", "Allow", "WWW-Authenticate", "Content-Language",
	"Idempotent-Replayed", "Cache-Control", "Vary",
}

func reply(c *fiber.Ctx, res sidecar.Response) error {
	for _, name := range responseHeaders {
		if value := res.Header.Get(name); value != "" {
			c.Set(name, value)
		}
	}
	return c.Status(res.Status).Send(res.Body)
}
