package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/telemetry"
)

// Hear is how a service handles the events of a topic. nil: done, or nothing to do. fault.Malformed: the event
// will never be readable and goes to the dead letters. Any other error: try again.
type Hear func(ctx context.Context, e contract.Event) error

// DeadLetter is an event that could not be handled, as a service keeps it.
type DeadLetter struct {
	ID      string // {app}:{id of the event, or a digest of what was no event}
	App     string
	Topic   string
	Type    string
	Subject string
	Reason  string
	At      time.Time
	Payload json.RawMessage
}

// Subscriptions declares what a service hears.
type Subscriptions struct {
	App    string
	PubSub string
	Topics map[string]Hear // by topic
	// Keep stores a dead letter; it is asked again when it fails.
	Keep func(ctx context.Context, d DeadLetter) error
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
}

func acknowledge(c *fiber.Ctx, status string) error { return c.JSON(fiber.Map{"status": status}) }

func (s Subscriptions) deliver(topic string, hear Hear) fiber.Handler {
	return func(c *fiber.Ctx) error {
		log := zerolog.Ctx(c.UserContext())
		raw, err := body(c)
		var e contract.Event
		if err == nil {
			err = json.Unmarshal(raw, &e)
		}
		if err != nil || e.ID == "" || e.Type == "" {
			log.Error().Err(err).Str("topic", topic).Msg("malformed event")
			return acknowledge(c, "DROP")
		}
		var about struct {
			Meta contract.Meta `json:"meta"`
		}
		_ = json.Unmarshal(e.Data, &about)
		ctx := telemetry.WithTrace(c.UserContext(), e.TraceParent)
		if about.Meta.CorrelationID != "" {
			ctx = telemetry.WithCorrelation(ctx, about.Meta.CorrelationID)
		}
		log = zerolog.Ctx(ctx)
		err = hear(ctx, e)
		switch {
		case err == nil:
			return acknowledge(c, "SUCCESS")
		case fault.CodeOf(err) == fault.Malformed:
			log.Error().Err(err).Str("type", e.Type).Str("event", e.ID).Msg("unreadable event")
			return acknowledge(c, "DROP")
		default:
			log.Warn().Err(err).Str("type", e.Type).Str("event", e.ID).Msg("event will be tried again")
			return acknowledge(c, "RETRY")
		}
	}
}

// keep stores what the sidecar has given up. It answers RETRY when that fails, so that the broker keeps it.
func (s Subscriptions) keep(c *fiber.Ctx) error {
	raw, err := body(c)
	if err != nil {
		return acknowledge(c, "RETRY")
	}
	var e contract.Event
	var at struct {
		Topic string `json:"topic"`
	}
	reason := "handler failed while its service was healthy"
	if json.Unmarshal(raw, &e) != nil || e.ID == "" {
		e = contract.Event{ID: uuid.NewSHA1(uuid.Nil, raw).String()}
		reason = "malformed"
		raw, _ = json.Marshal(string(raw))
	}
	_ = json.Unmarshal(raw, &at)
	err = s.Keep(c.UserContext(), DeadLetter{
		ID: s.App + ":" + e.ID, App: s.App, Topic: at.Topic, Type: e.Type, Subject: e.Subject,
		Reason: reason, At: time.Now().UTC(), Payload: raw,
	})
	if err != nil {
		zerolog.Ctx(c.UserContext()).Error().Err(err).Str("event", e.ID).Msg("dead letter not stored")
		return acknowledge(c, "RETRY")
	}
	zerolog.Ctx(c.UserContext()).Error().Str("event", e.ID).Str("type", e.Type).Msg("dead letter stored")
	return acknowledge(c, "SUCCESS")
}
