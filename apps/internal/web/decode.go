package web

import (
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

// Decode reads a JSON body strictly. 415: not JSON by its header; 413: over 1 MB; 400 MALFORMED: not JSON,
// not UTF-8 or wrong types; 422 INVALID: members that T does not have.
func Decode[T any](c *fiber.Ctx) (T, error) {
	var t T
	if !saysJSON(c) {
		return t, fault.New(fault.UnsupportedMediaType)
	}
	raw, err := Body(c)
	if err != nil {
		return t, err
	}
	c.Locals(decodedKey{}, raw)
	return DecodeJSON[T](raw)
}

func saysJSON(c *fiber.Ctx) bool {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return err == nil && media == fiber.MIMEApplicationJSON
}

// CheckJSON is what Decode would say of a body that was read, of whatever members. 415: not JSON by its header;
// 400 MALFORMED: not JSON, not UTF-8 or no object.
func CheckJSON(c *fiber.Ctx, raw []byte) error {
	if !saysJSON(c) {
		return fault.New(fault.UnsupportedMediaType)
	}
	_, err := DecodeJSON[map[string]any](raw)
	return err
}

// IdempotencyKey reads the required header: 1–255 visible ASCII characters.
func IdempotencyKey(c *fiber.Ctx) (string, error) {
	keys := c.Request().Header.PeekAll("Idempotency-Key")
	if len(keys) == 0 || len(keys[0]) == 0 {
		return "", fault.New(fault.IdempotencyKeyMissing)
	}
	if len(keys) > 1 || !isToken(string(keys[0]), 255) {
		return "", fault.New(fault.IdempotencyKeyInvalid)
	}
	return string(keys[0]), nil
}

// IfMatch reads the version that the caller has seen from If-Match: "3".
func IfMatch(c *fiber.Ctx) (int64, error) {
	tag := c.Get(fiber.HeaderIfMatch)
	if tag == "" {
		return 0, fault.New(fault.IfMatchRequired)
	}
	version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	if err != nil || version < 1 || len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, fault.New(fault.Stale)
	}
	return version, nil
}

// SetETag writes a version as ETag: "3".
func SetETag(c *fiber.Ctx, version int64) {
	c.Set(fiber.HeaderETag, fmt.Sprintf("%q", strconv.FormatInt(version, 10)))
}
