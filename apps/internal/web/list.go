package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"oneqtour/apps/internal/fault"
)

const (
	defaultLimit = 20
	maxLimit     = 100
	maxCursor    = 1024 // characters; ours are far shorter
)

// List is the answer of every list. NextCursor is null on the last page.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"nextCursor"`
}

// Limit reads the query member of that name: 1–100, 20 when absent; else 422 INVALID, or 400 when it is no integer.
func Limit(c *fiber.Ctx) (int, error) {
	n, given, err := Integer(c, "limit")
	if err != nil || !given {
		return defaultLimit, err
	}
	var wrong fault.Fields
	wrong.Check(n >= 1 && n <= maxLimit, "limit", fault.OutOfRange, "1..100")
	return int(n), wrong.Err()
}

// Cursor reads where the page before has ended; ok is false on the first page. A cursor that Next has not
// written for this list is 422 INVALID.
func Cursor[T any](c *fiber.Ctx) (at T, ok bool, err error) {
	raw := c.Query("cursor")
	if raw == "" {
		return at, false, nil
	}
	doc, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil || len(raw) > maxCursor || json.Unmarshal(doc, &at) != nil {
		return at, false, BadCursor()
	}
	// Members that are missing or unknown would otherwise lead to some other place.
	if again, err := json.Marshal(at); err != nil || !bytes.Equal(again, doc) {
		return at, false, BadCursor()
	}
	return at, true, nil
}

// BadCursor refuses a cursor that was not made for the list.
func BadCursor() error {
	return &fault.Error{Code: fault.Invalid, Fields: []fault.Field{{Name: "cursor", Code: fault.BadFormat}}}
}

// Next makes the cursor of the page that follows: at is where this one has ended.
func Next[T any](at T) *string {
	doc, _ := json.Marshal(at)
	s := base64.RawURLEncoding.EncodeToString(doc)
	return &s
}

// PathID reads a path parameter that names something by its UUID. What is no UUID names nothing: 404.
func PathID(c *fiber.Ctx, name string) (string, error) {
	id := c.Params(name)
	if !IsID(id) {
		return "", fault.New(fault.NotFound)
	}
	return strings.ToLower(id), nil
}

// IsID says whether s is a UUID of 36 characters, as every id of oneqtour is.
func IsID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }
