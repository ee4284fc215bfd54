package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
)

// decodedKey is where the body is kept that Decode has read.
type decodedKey struct{}

// told gives what is wrong with the fields of a refusal as a client shall read it. Rules look at a decoded value and
// take a member that was not sent, or as null, for its zero, which is out of their range: of that one it is said that
// it is required.
func told(c *fiber.Ctx, refusal *fault.Error) []fault.Field {
	fields := slices.Clone(refusal.Fields)
	for i, f := range fields {
		fields[i].Pointer = pointerOf(f)
	}
	raw, decoded := c.Locals(decodedKey{}).([]byte)
	var body any
	if refusal.Code != fault.Invalid || !decoded || json.Unmarshal(raw, &body) != nil {
		return fields
	}
	for i, f := range fields {
		switch f.Code {
		case fault.OutOfRange, fault.BadFormat, fault.NotAllowed:
			if !holds(body, f.Pointer) {
				fields[i].Code = fault.Required
			}
		}
	}
	return fields
}

func pointerOf(f fault.Field) string {
	if f.Pointer != "" {
		return f.Pointer
	}
	return "/" + strings.ReplaceAll(index.ReplaceAllString(escapePointer.Replace(f.Name), ".$1"), ".", "/")
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")

// holds says whether there is a value, and not null, at a JSON Pointer.
func holds(at any, pointer string) bool {
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch v := at.(type) {
		case map[string]any:
			at = v[unescapePointer.Replace(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return false
			}
			at = v[i]
		default:
			return false
		}
	}
	return at != nil
}
