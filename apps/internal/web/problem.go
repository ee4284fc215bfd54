package web

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"
	"golang.org/x/text/language"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/telemetry"
)

// problem is Fiber's error handler: every refusal becomes an RFC 9457 problem document in the caller's
// language, and whatever is not a refusal becomes INTERNAL without a word of its text.
func problem(c *fiber.Ctx, err error) error {
	refusal := refusalOf(err)
	t, known := problems[refusal.Code]
	if !known {
		t = problems[fault.Internal]
	}
	log := zerolog.Ctx(c.UserContext())
	switch {
	case t.status == fiber.StatusServiceUnavailable:
		log.Warn().Err(err).Msg("request turned away")
	case t.status >= 500:
		log.Error().Err(err).Msg("request failed")
	case refusal.Unwrap() != nil:
		log.Info().Err(err).Msg("request refused")
	}
	korean := Korean(c)
	doc := fiber.Map{}
	for name, value := range refusal.Extra {
		doc[name] = value
	}
	doc["type"] = "/problems/" + string(refusal.Code)
	doc["title"] = t.title(korean)
	doc["status"] = t.status
	doc["detail"] = t.detail(korean)
	doc["code"] = refusal.Code
	doc["correlationId"] = telemetry.Correlation(c.UserContext())
	if len(refusal.Fields) > 0 {
		doc["errors"] = fieldErrors(told(c, refusal), korean)
	}
	if refusal.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(refusal.RetryAfter.Seconds()))))
	}
	if t.status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	if korean {
		c.Set(fiber.HeaderContentLanguage, "ko")
	} else {
		c.Set(fiber.HeaderContentLanguage, "en")
	}
	return c.Status(t.status).JSON(doc, "application/problem+json")
}

func refusalOf(err error) *fault.Error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok {
		switch e.Code {
		case fiber.StatusNotFound:
			return fault.New(fault.NotFound)
		case fiber.StatusMethodNotAllowed:
			return fault.New(fault.MethodNotAllowed)
		case fiber.StatusRequestEntityTooLarge:
			return fault.New(fault.TooLarge)
		case fiber.StatusRequestTimeout:
			return fault.New(fault.RequestTimeout)
		}
		if e.Code < 500 {
			return fault.New(fault.Malformed)
		}
	}
	// The request's time is over before the work was done, wherever it was waiting.
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable).After(time.Second).Because(err)
	}
	return fault.New(fault.Internal)
}

var index = regexp.MustCompile(`\[(\d+)\]`)

func fieldErrors(fields []fault.Field, korean bool) []fiber.Map {
	out := make([]fiber.Map, 0, len(fields))
	for _, f := range fields {
		detail := fieldTexts[f.Code].in(korean)
		if f.Detail != "" {
			detail += " (" + strings.ReplaceAll(f.Detail, fault.VisibleASCII, visibleASCII.in(korean)) + ")"
		}
		out = append(out, fiber.Map{"field": f.Name, "pointer": f.Pointer, "code": f.Code, "detail": detail})
	}
	return out
}

var languages = language.NewMatcher([]language.Tag{language.Korean, language.English})

// Korean says whether the caller reads Korean: the default, unless Accept-Language prefers English.
func Korean(c *fiber.Ctx) bool {
	_, i := language.MatchStrings(languages, c.Get(fiber.HeaderAcceptLanguage))
	return i == 0
}

// Problem explains a code to people, for the pages behind the type of a problem document.
type Problem struct {
	Status        int
	Title, Detail string
}

// Explain gives the explanation of a code.
func Explain(code string, korean bool) (Problem, bool) {
	t, ok := problems[fault.Code(code)]
	return Problem{t.status, t.title(korean), t.detail(korean)}, ok
}
