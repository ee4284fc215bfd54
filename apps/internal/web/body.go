package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

const (
	bodyLimit  = 1 << 20  // of a request, in bytes
	drainLimit = 16 << 20 // read and thrown away of a larger one, so that the client reads the 413
)

// bodyRead marks a request whose body was read to its end: reading a chunked one again would wait for, or
// eat, the next request.
type bodyRead struct{}

// finish takes what a handler has left of the body off the connection. Fasthttp would take it for the next
// request, so that one client could write the request of another who shares the connection, as all who come
// through a sidecar or a proxy do.
func finish(c *fiber.Ctx) {
	stream := c.Context().RequestBodyStream()
	if stream == nil || c.Locals(bodyRead{}) != nil {
		return
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(stream, drainLimit)); err != nil || n == drainLimit {
		c.Context().SetConnectionClose()
	}
}

// Body reads a request's body. It is the only reader of bodies: Fiber's own would hold one of any size in memory,
// and inflate a compressed one to thousands of times its size. 413: over 1 MB, with the beginning of it, one byte
// more than the limit; 415: compressed; 408: it did not come in time; 400 MALFORMED: it did not come to its end.
func Body(c *fiber.Ctx) ([]byte, error) {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
			c.Set(fiber.HeaderAcceptEncoding, "identity")
			return nil, fault.New(fault.UnsupportedMediaType)
		}
	}
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		stream = bytes.NewReader(c.Request().Body())
	}
	b, err := io.ReadAll(io.LimitReader(stream, bodyLimit+1))
	c.Locals(bodyRead{}, true)
	if err != nil {
		c.Context().SetConnectionClose()
		if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
			return nil, fault.New(fault.RequestTimeout).Because(err)
		}
		return nil, fault.New(fault.Malformed).Because(err)
	}
	if len(b) > bodyLimit {
		_, _ = io.Copy(io.Discard, io.LimitReader(stream, drainLimit))
		c.Context().SetConnectionClose()
		return b, fault.New(fault.TooLarge)
	}
	return b, nil
}
