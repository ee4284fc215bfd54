package web

import (
	"context"
	"encoding/json"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/telemetry"
)

// Hear is how a service handles the events of a topic. nil: done, or nothing to do. fault.Malformed: the event
// will never be readable and becomes a dead letter. Any other error: try again.
type Hear func(ctx context.Context, e contract.Event) error

// Subscriptions declares what a service hears.
type Subscriptions struct {
	App    string
	PubSub string
	Topics map[string]Hear // by topic
	// Letters keeps what could not be handled; it is asked again when it fails.
	Letters  DeadLetters
	Identity *Identity // of the operators who look at the letters; without one they have no routes
}

// subscription is Dapr's answer format of GET /dapr/subscribe.
type subscription struct {
	PubSubName      string `json:"pubsubname"`
	Topic           string `json:"topic"`
	Route           string `json:"route"`
	DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
}

// Mount adds the routes of the subscriptions. All of them refuse invocations: an event comes from the own
// sidecar, by delivery, or not at all.
func (s Subscriptions) Mount(app *fiber.App) {
	dead := contract.DeadLetters(s.App)
	// A dead letter that cannot be stored now is published to its own topic again: given up, it would be lost.
	list := []subscription{{PubSubName: s.PubSub, Topic: dead, Route: "/events/" + dead, DeadLetterTopic: dead}}
	events := app.Group("/events", notInvoked)
	for topic, hear := range s.Topics {
		list = append(list, subscription{PubSubName: s.PubSub, Topic: topic, Route: "/events/" + topic, DeadLetterTopic: dead})
		events.Post("/"+topic, s.deliver(topic, hear))
	}
	events.Post("/"+dead, s.keep)
	app.Get("/dapr/subscribe", notInvoked, func(c *fiber.Ctx) error { return c.JSON(list) })
	// Fiber's 404 would make Dapr drop the event without a trace.
	events.All("/*", func(c *fiber.Ctx) error { return acknowledge(c, "DROP") })
	if s.Identity != nil {
		letters := RoutesOf(app).Group("/dead-letters", OnlyFrom("gateway"), s.Identity.Middleware(RoleOperator))
		letters.Get("/", TakesLetters, s.listLetters)
		letters.Post("/:id/replay", s.replayLetter)
	}
}

func acknowledge(c *fiber.Ctx, status string) error { return c.JSON(fiber.Map{"status": status}) }

func (s Subscriptions) deliver(topic string, hear Hear) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		raw, err := eventBody(c)
		if err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Str("topic", topic).Msg("event not read to its end")
			return acknowledge(c, "RETRY")
		}
		e, err := readEvent(raw)
		if err != nil {
			return s.bury(ctx, c, newLetter(s.App, topic, raw, err.Error()))
		}
		ctx = about(ctx, e)
		err = hear(ctx, e)
		switch {
		case err == nil:
			return acknowledge(c, "SUCCESS")
		case fault.CodeOf(err) == fault.Malformed:
			return s.bury(ctx, c, newLetter(s.App, topic, raw, err.Error()))
		default:
			zerolog.Ctx(ctx).Warn().Err(err).Str("type", e.Type).Str("event", e.ID).Msg("event will be tried again")
			return acknowledge(c, "RETRY")
		}
	}
}

// about joins what is done for an event with what caused it.
func about(ctx context.Context, e contract.Event) context.Context {
	var data struct {
		Meta contract.Meta `json:"meta"`
	}
	_ = json.Unmarshal(e.Data, &data)
	ctx = telemetry.WithTrace(ctx, e.TraceParent)
	if data.Meta.CorrelationID != "" {
		ctx = telemetry.WithCorrelation(ctx, data.Meta.CorrelationID)
	}
	return ctx
}

// keep stores what the sidecar has given up.
func (s Subscriptions) keep(c *fiber.Ctx) error {
	raw, err := eventBody(c)
	if err != nil {
		return acknowledge(c, "RETRY")
	}
	reason := givenUp
	if _, err := readEvent(raw); err != nil {
		reason = err.Error()
	}
	return s.bury(c.UserContext(), c, newLetter(s.App, "", raw, reason))
}

// bury stores a dead letter, at once and with its cause. It answers RETRY when the store is away, so that the
// broker keeps the event; the sidecar moves it to the dead letters' topic when that takes too long.
func (s Subscriptions) bury(ctx context.Context, c *fiber.Ctx, d DeadLetter) error {
	log := zerolog.Ctx(ctx).Error().Str("letter", d.ID).Str("type", d.Type).Str("reason", d.Reason)
	if err := s.Letters.Keep(ctx, d); err != nil {
		log.Err(err).Msg("dead letter not stored")
		return acknowledge(c, "RETRY")
	}
	log.Msg("dead letter stored")
	return acknowledge(c, "SUCCESS")
}
