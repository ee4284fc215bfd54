// Package web is the inbound edge that all services share: the Fiber app with its error handler and
// deadlines, the caller's identity and language, strict decoding, and the acknowledgement of events.
package web

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/valyala/fasthttp"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/telemetry"
)

const (
	headerCaller = "Dapr-Caller-App-Id" // set by daprd on invocations, not on deliveries of events
	headerToken  = "Dapr-Api-Token"
)

const headerSize = 16 << 10

// Options of an app.
type Options struct {
	AppID    string
	AppToken string // what our own sidecar must show; only the gateway, which clients call directly, has none
	Log      zerolog.Logger
	Deadline time.Duration                   // for a request as a whole; 0 = 10 s
	Ready    func(ctx context.Context) error // nil error: the service can write, so it may hear
}

// NewApp makes a Fiber app with health routes, correlation, deadline, logging, problem documents and, when
// AppToken is set, refuses everybody but the service's own sidecar.
func NewApp(o Options) *fiber.App {
	if o.Deadline == 0 {
		o.Deadline = 10 * time.Second
	}
	app := fiber.New(fiber.Config{
		AppName: o.AppID, DisableStartupMessage: true, Immutable: true,
		ReadBufferSize: headerSize, BodyLimit: bodyLimit, StreamRequestBody: true,
		ReadTimeout: 5 * time.Second, IdleTimeout: 90 * time.Second, ErrorHandler: problem, RequestMethods: methods,
	})
	answerAnyMethod(app)
	leaveTheSilent(app)
	app.Use(o.begin)
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/readyz", o.ready)
	if o.AppToken != "" {
		app.Use(o.fromOwnSidecar)
	}
	return app
}

var methods = []string{
	fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete,
	fiber.MethodOptions, fiber.MethodTrace, // no route has them: 405 with Allow
}

// answerAnyMethod answers a method that nobody knows like one that no route has. Fiber's own answer is no problem
// document and does not say which methods there are.
func answerAnyMethod(app *fiber.App) {
	server := app.Server()
	next := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if !slices.Contains(methods, string(ctx.Method())) {
			ctx.Request.Header.SetMethod(fiber.MethodTrace)
		}
		next(ctx)
	}
}

// leaveTheSilent closes a connection on which nothing was ever asked without a word: an answer to no request could
// be taken for that to the first one, which is just on its way. Fasthttp tells of it by the bare error of the
// connection, as of a body that does not come, whose headers it has thrown away by then.
func leaveTheSilent(app *fiber.App) {
	var begun sync.Map // headers that were read to their end, of requests with a body that is not there yet
	server := app.Server()
	server.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		if h.ContentLength() > 0 {
			begun.Store(h, nil)
		}
		return fasthttp.RequestConfig{}
	}
	handle, refuse := server.Handler, server.ErrorHandler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		begun.Delete(&ctx.Request.Header)
		handle(ctx)
	}
	server.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		_, asked := begun.LoadAndDelete(&ctx.Request.Header)
		if bare, ok := errors.AsType[*net.OpError](err); ok && any(bare) == any(err) && !asked {
			_ = ctx.Conn().Close()
			return
		}
		refuse(ctx, err)
	}
}

func (o Options) begin(c *fiber.Ctx) (err error) {
	start := time.Now()
	c.Set(contract.HeaderApp, o.AppID)
	id := c.Get(contract.HeaderCorrelation)
	if !isToken(id, 64) {
		id = uuid.Must(uuid.NewV7()).String()
	}
	c.Set(contract.HeaderCorrelation, id)
	ctx, cancel := context.WithTimeout(o.Log.WithContext(context.Background()), o.Deadline)
	defer cancel()
	ctx = telemetry.WithTrace(telemetry.WithCorrelation(ctx, id), c.Get("Traceparent"))
	c.SetUserContext(ctx)
	defer finish(c)
	defer func() {
		if r := recover(); r != nil {
			zerolog.Ctx(ctx).Error().Interface("panic", r).Stack().Msg("panic in a handler")
			err = problem(c, fault.New(fault.Internal))
		}
		if path := c.Path(); path != "/healthz" && path != "/readyz" {
			zerolog.Ctx(ctx).Info().Str("method", c.Method()).Str("path", path).
				Int("status", c.Response().StatusCode()).Dur("took", time.Since(start)).Msg("request")
		}
	}()
	// Answered here, so that the log line above knows the status.
	if err := c.Next(); err != nil {
		return problem(c, err)
	}
	return nil
}

func (o Options) ready(c *fiber.Ctx) error {
	if o.Ready == nil {
		return c.SendString("ready")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), 800*time.Millisecond)
	defer cancel()
	if err := o.Ready(ctx); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("not ready")
		return fault.New(fault.Unavailable).After(time.Second)
	}
	return c.SendString("ready")
}

// A sidecar proves itself by the token that it shares with its app alone.
func (o Options) fromOwnSidecar(c *fiber.Ctx) error {
	if subtle.ConstantTimeCompare([]byte(c.Get(headerToken)), []byte(o.AppToken)) != 1 {
		return fault.New(fault.Forbidden)
	}
	return c.Next()
}

// OnlyFrom refuses every invocation that does not come from the one app. Dapr adds its header but does not
// remove one that the caller wrote itself, so two values mean a forgery.
func OnlyFrom(apps ...string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		callers := c.Request().Header.PeekAll(headerCaller)
		if len(callers) == 1 {
			for _, app := range apps {
				if string(callers[0]) == app {
					return c.Next()
				}
			}
		}
		return fault.New(fault.Forbidden)
	}
}

// notInvoked refuses what another app, or a client in its name, has sent: deliveries of the own sidecar
// carry no caller.
func notInvoked(c *fiber.Ctx) error {
	if len(c.Request().Header.PeekAll(headerCaller)) > 0 {
		return fault.New(fault.Forbidden)
	}
	return c.Next()
}

// isToken says whether s is 1 to max visible ASCII characters.
func isToken(s string, max int) bool {
	if len(s) == 0 || len(s) > max {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Serve listens and serves until the context ends, then lets requests at work finish within drain.
func Serve(ctx context.Context, app *fiber.App, addr string, drain time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- app.Listen(addr) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if err := app.ShutdownWithTimeout(drain); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
