package sidecar

import (
	"context"
	"encoding/json"
	"fmt"

	dapr "github.com/dapr/go-sdk/client"

	"oneqtour/apps/internal/contract"
)

// Publisher publishes to one Dapr pub/sub component.
type Publisher struct {
	client *Client
	pubsub string
}

// Publisher of the named component.
func (c *Client) Publisher(pubsub string) *Publisher { return &Publisher{client: c, pubsub: pubsub} }

// Publish sends events of one topic in one call, each with its aggregate's id as partition key. It returns
// the ids that the broker has taken; err names why the others were not.
func (p *Publisher) Publish(ctx context.Context, topic string, events []contract.Event) ([]string, error) {
	entries := make([]any, 0, len(events))
	for _, e := range events {
		raw, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("marshal event %s: %w", e.ID, err)
		}
		entries = append(entries, dapr.PublishEventsEvent{
			EntryID: e.ID, Data: raw, ContentType: "application/cloudevents+json",
			Metadata: map[string]string{"partitionKey": e.Subject},
		})
	}
	res := p.client.sdk.PublishEvents(ctx, p.pubsub, topic, entries)
	if res.Error == nil {
		return ids(events, nil), nil
	}
	failed := make(map[string]bool, len(res.FailedEvents))
	for _, f := range res.FailedEvents {
		if e, ok := f.(dapr.PublishEventsEvent); ok {
			failed[e.EntryID] = true
		}
	}
	return ids(events, failed), res.Error
}

func ids(events []contract.Event, except map[string]bool) []string {
	out := make([]string, 0, len(events))
	for _, e := range events {
		if !except[e.ID] {
			out = append(out, e.ID)
		}
	}
	return out
}
