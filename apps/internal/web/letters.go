package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
)

// DeadLetter is an event that could not be handled, as a service keeps it. Whatever came, a letter can be stored:
// its texts are UTF-8 and short enough for the columns of deadletter, its payload is JSON.
type DeadLetter struct {
	ID      string          `json:"id"` // {app}:{id of the event, or a digest of an id that cannot be one, or of what was no event}
	App     string          `json:"app"`
	Topic   string          `json:"topic"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Reason  string          `json:"reason"`
	At      time.Time       `json:"at"`      // UTC, whole microseconds
	Payload json.RawMessage `json:"payload"` // the event as it came, or as a text when it was none
	Replays []Replay        `json:"replays"` // oldest first
}

const (
	shownOfOversize = 64 << 10 // bytes kept of a body over the limit
	maxTopic        = 64
	maxName         = 128 // of type and subject
	maxReason       = 255
)

// eventBody reads a delivery. One over the limit comes cut, and is then no event; any error means that it did not
// come to its end.
func eventBody(c *fiber.Ctx) ([]byte, error) {
	raw, err := Body(c)
	if fault.CodeOf(err) == fault.TooLarge {
		return raw, nil
	}
	return raw, err
}

func readEvent(raw []byte) (contract.Event, error) {
	var e contract.Event
	if len(raw) > bodyLimit {
		return e, errors.New("larger than 1 MB")
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return contract.Event{}, fmt.Errorf("no event: %w", err)
	}
	if e.ID == "" || e.Type == "" {
		return e, errors.New("an event without id or type")
	}
	return e, nil
}

// newLetter makes a letter of what came. Without a topic, the event's own word for it counts, which Dapr writes.
func newLetter(app, topic string, raw []byte, reason string) DeadLetter {
	e, err := readEvent(raw)
	payload := json.RawMessage(bytes.ToValidUTF8(raw, []byte("\uFFFD")))
	if err != nil && !json.Valid(payload) || len(raw) > bodyLimit {
		payload, _ = json.Marshal(string(raw[:min(len(raw), shownOfOversize)]))
	}
	if topic == "" {
		var at struct {
			Topic string `json:"topic"`
		}
		_ = json.Unmarshal(raw, &at)
		topic = at.Topic
	}
	// A UUID always: it stands in addresses and in keys of stores.
	id := strings.ToLower(e.ID)
	switch {
	case id == "":
		id = uuid.NewSHA1(uuid.Nil, raw).String()
	case !IsID(id):
		id = uuid.NewSHA1(uuid.Nil, []byte(e.ID)).String()
	}
	return DeadLetter{
		ID: app + ":" + id, App: app, Topic: cut(topic, maxTopic), Type: cut(e.Type, maxName),
		Subject: cut(e.Subject, maxName), Reason: cut(reason, maxReason), At: now(), Payload: payload,
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// cut takes what a column can hold of a text.
func cut(s string, max int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > max {
		s = strings.ToValidUTF8(s[:max], "")
	}
	return s
}
