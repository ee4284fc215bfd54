package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

// Decode reads a JSON body strictly. 415: not JSON by its header; 413: over 1 MB; 400 MALFORMED: not JSON,
// not UTF-8 or wrong types; 422 INVALID: members that T does not have.
func Decode[T any](c *fiber.Ctx) (T, error) {
	var t T
	if media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || media != fiber.MIMEApplicationJSON {
		return t, fault.New(fault.UnsupportedMediaType)
	}
	raw, err := body(c)
	if err != nil {
		return t, err
	}
	return DecodeJSON[T](raw)
}

// DecodeJSON is Decode for a body at hand.
func DecodeJSON[T any](raw []byte) (T, error) {
	var t T
	if !utf8.Valid(raw) {
		return t, fault.New(fault.Malformed)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return t, fault.New(fault.Malformed).Because(err)
	}
	if _, ok := tree.(map[string]any); !ok {
		return t, fault.New(fault.Malformed)
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		malformed := fault.New(fault.Malformed).Because(err)
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			malformed.Fields = []fault.Field{{Name: wrong.Field, Code: fault.BadFormat, Detail: wrong.Type.String()}}
		}
		return t, malformed
	}
	var unknown fault.Fields
	findUnknown(tree, reflect.TypeFor[T](), "", &unknown)
	return t, unknown.Err()
}

// findUnknown walks the input beside the type that it was decoded into. encoding/json would accept a member
// in another letter case and silently drop one that it does not know.
func findUnknown(tree any, t reflect.Type, path string, unknown *fault.Fields) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := tree.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return
		}
		members := membersOf(t)
		for name, value := range v {
			at := strings.TrimPrefix(path+"."+name, ".")
			if ft, ok := members[name]; ok {
				findUnknown(value, ft, at, unknown)
			} else {
				unknown.Check(false, at, fault.UnknownName, "")
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return
		}
		for i, value := range v {
			findUnknown(value, t.Elem(), path+"["+strconv.Itoa(i)+"]", unknown)
		}
	}
}

func membersOf(t reflect.Type) map[string]reflect.Type {
	members := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			for n, ft := range membersOf(f.Type) {
				members[n] = ft
			}
		case name != "" && name != "-":
			members[name] = f.Type
		}
	}
	return members
}

// IdempotencyKey reads the required header: 1–255 visible characters.
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
