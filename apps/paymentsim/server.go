package main

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"
)

// minAmount is the least that a card can be charged, in won.
const minAmount = 100

// orderIDs as published: 6 to 64 letters, digits, - _ =.
var orderIDs = regexp.MustCompile(`^[A-Za-z0-9_=-]{6,64}$`)

type server struct {
	book      *book
	secretKey string
	control   controls
}

// newServer joins the provider's routes, those of a development machine and the probes.
func newServer(b *book, secretKey string, log zerolog.Logger) *fiber.App {
	s := &server{book: b, secretKey: secretKey}
	app := fiber.New(fiber.Config{
		AppName: "paymentsim", DisableStartupMessage: true, Immutable: true, ReadBufferSize: 16 << 10, BodyLimit: 64 << 10,
		// Fiber waits at its end for a connection on which nothing was ever asked, for as long as ReadTimeout.
		ReadTimeout: 2 * time.Second, IdleTimeout: 2 * time.Minute, ErrorHandler: answerError(log),
	})
	say := func(c *fiber.Ctx) error { return c.SendString("ok\n") }
	app.Get("/healthz", say)
	app.Get("/readyz", say)

	app.Get("/_control", onlyLoopback, s.control.show)
	app.Post("/_control", onlyLoopback, s.control.change)
	app.Get("/_ledger", onlyLoopback, s.ledger)

	app.Get("/v1/transactions", s.control.disturb, s.authenticate, s.transactions)
	v1 := app.Group("/v1/payments", s.control.disturb, s.authenticate)
	v1.Post("/confirm", s.confirm)
	v1.Get("/orders/:orderId", s.byOrder)
	v1.Post("/:paymentKey/cancel", s.cancel)
	v1.Get("/:paymentKey", s.byKey)
	return app
}

// authenticate asks for the secret key as the user of basic authentication, without a password.
func (s *server) authenticate(c *fiber.Ctx) error {
	encoded, basic := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Basic ")
	if !basic {
		return errUnauthorizedKey
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.Contains(string(decoded), ":") {
		return errBasicAuthFormat
	}
	if subtle.ConstantTimeCompare(decoded, []byte(s.secretKey+":")) != 1 {
		return errUnauthorizedKey
	}
	return c.Next()
}

func (s *server) confirm(c *fiber.Ctx) error {
	var in struct {
		PaymentKey string `json:"paymentKey"`
		OrderID    string `json:"orderId"`
		Amount     int64  `json:"amount"`
	}
	if err := json.Unmarshal(c.Body(), &in); err != nil || !orderIDs.MatchString(in.OrderID) || in.Amount <= 0 {
		return errInvalidRequest
	}
	if in.Amount < minAmount {
		return errBelowMinimum
	}
	by, known := parseToken(in.PaymentKey)
	if !known {
		return errNotFoundSession
	}
	return s.once(c, func(call string) (answer, error) { return s.book.approve(call, by, in.OrderID, in.Amount) })
}

func (s *server) cancel(c *fiber.Ctx) error {
	var in struct {
		Reason string `json:"cancelReason"`
		Amount *int64 `json:"cancelAmount"`
	}
	err := json.Unmarshal(c.Body(), &in)
	if n := utf8.RuneCountInString(in.Reason); err != nil || n < 1 || n > 200 || in.Amount != nil && *in.Amount <= 0 {
		return errInvalidRequest
	}
	return s.once(c, func(call string) (answer, error) {
		return s.book.refund(call, c.Params("paymentKey"), in.Amount, in.Reason)
	})
}

// once runs a POST under its Idempotency-Key and replies.
func (s *server) once(c *fiber.Ctx, do func(call string) (answer, error)) error {
	key := c.Get("Idempotency-Key")
	if utf8.RuneCountInString(key) > maxKeyLength {
		return errInvalidKeyLength
	}
	call := callOf(c.Method(), c.Path(), key)
	given, err := s.book.once(call, func() (answer, error) { return do(call) })
	switch {
	case err != nil:
		return err
	case given.dropped:
		return dropAnswer(c)
	case given.refusal != nil:
		return given.refusal
	}
	return c.JSON(given.payment)
}

func (s *server) byOrder(c *fiber.Ctx) error { return reply(c)(s.book.ofOrder(c.Params("orderId"))) }

func (s *server) byKey(c *fiber.Ctx) error { return reply(c)(s.book.ofKey(c.Params("paymentKey"))) }

func reply(c *fiber.Ctx) func(*payment, error) error {
	return func(p *payment, err error) error {
		if err != nil {
			return err
		}
		return c.JSON(p)
	}
}

// dropAnswer closes the connection without an answer, after an interim one that every client passes over. A
// connection that ends before its first byte would lose nothing: Go's HTTP client then silently repeats a
// request that carries an Idempotency-Key, if it had used the connection before.
func dropAnswer(c *fiber.Ctx) error {
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) })
	return nil
}

// answerError writes every error as the provider does.
func answerError(log zerolog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		if own, ok := errors.AsType[*refusal](err); ok {
			return c.Status(own.Status).JSON(own)
		}
		if routing, ok := errors.AsType[*fiber.Error](err); ok {
			if routing.Code == http.StatusNotFound {
				return c.Status(http.StatusNotFound).JSON(errNotFound)
			}
			return c.Status(routing.Code).JSON(errInvalidRequest)
		}
		log.Error().Err(err).Str("path", c.Path()).Msg("call failed")
		return c.Status(errInternal.Status).JSON(errInternal)
	}
}
