// Package contract holds everything that services say to each other: the event envelope, the events with
// the whole public state of their aggregate, and the one synchronous call, reservation → payment.
// Members may be added freely; a changed meaning is a new version of the type beside the old one.
package contract

import (
	"encoding/json"
	"fmt"
	"time"

	"oneqtour/apps/internal/fault"
)

// Event is a CloudEvent 1.0 in JSON.
type Event struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`     // UUIDv7, the same however often it is delivered
	Source          string          `json:"source"` // the app id
	Type            string          `json:"type"`   // oneqtour.<context>.<event>.v1
	Subject         string          `json:"subject"`
	Time            time.Time       `json:"time"` // UTC, when the transaction was made
	DataContentType string          `json:"datacontenttype"`
	TraceParent     string          `json:"traceparent"`
	TraceID         string          `json:"traceid"` // the same text; Dapr replaces both when one is absent
	Data            json.RawMessage `json:"data"`
}

// Meta stands in the data of every event.
type Meta struct {
	Version       int64  `json:"version"`       // of the aggregate after the change; consumers upsert by it
	CorrelationID string `json:"correlationId"` // shared by everything that belongs to one reservation or edit
	CausationID   string `json:"causationId"`   // the request or the event that caused this one
	Actor         string `json:"actor"`         // subject of the token, or the app id for what a service did itself

	Replay *ReplayMark `json:"replay,omitempty"` // on the topic replay alone
}

// Topics, one a context.
const (
	TopicProduct     = "product"
	TopicReservation = "reservation"
	TopicPayment     = "payment"
)

// DeadLetters is the topic to which the sidecar of an app moves what the app could not handle.
func DeadLetters(app string) string { return "dead-" + app }

// Types of events.
const (
	ProductRegistered      = "oneqtour.product.registered.v1"
	ProductRevised         = "oneqtour.product.revised.v1"
	ProductDiscontinued    = "oneqtour.product.discontinued.v1"
	ProductDepartureClosed = "oneqtour.product.departure-closed.v1"

	ReservationPending         = "oneqtour.reservation.pending.v1"
	ReservationConfirmed       = "oneqtour.reservation.confirmed.v1"
	ReservationRejected        = "oneqtour.reservation.rejected.v1"
	ReservationCancelRequested = "oneqtour.reservation.cancel-requested.v1"
	ReservationCancelled       = "oneqtour.reservation.cancelled.v1"
	ReservationCompleted       = "oneqtour.reservation.completed.v1"
	DepartureChanged           = "oneqtour.reservation.departure-changed.v1"

	PaymentApproved = "oneqtour.payment.approved.v1"
	PaymentDeclined = "oneqtour.payment.declined.v1"
	PaymentVoided   = "oneqtour.payment.voided.v1"
	PaymentRefunded = "oneqtour.payment.refunded.v1"

	PaymentRefundStuck = "oneqtour.payment.refund-stuck.v1"
)

// IsProduct says whether events of this type carry a Product. The lists are exact: a type that is not known
// here may carry anything, a v2 of one that is among it.
func IsProduct(eventType string) bool {
	switch eventType {
	case ProductRegistered, ProductRevised, ProductDiscontinued, ProductDepartureClosed:
		return true
	}
	return false
}

// IsReservation says whether events of this type carry a Reservation.
func IsReservation(eventType string) bool {
	switch eventType {
	case ReservationPending, ReservationConfirmed, ReservationRejected, ReservationCancelRequested,
		ReservationCancelled, ReservationCompleted:
		return true
	}
	return false
}

// Envelope is what the sender of an event must say beside its data.
type Envelope struct {
	ID          string
	Source      string // app id
	Type        string
	Subject     string // id of the aggregate, also the partition key
	Time        time.Time
	TraceParent string
}

// NewEvent wraps data, which must marshal to a JSON object.
func NewEvent(e Envelope, data any) (Event, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("marshal data of %s: %w", e.Type, err)
	}
	return Event{
		SpecVersion: "1.0", ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time.UTC(),
		DataContentType: "application/json", TraceParent: e.TraceParent, TraceID: e.TraceParent, Data: raw,
	}, nil
}

// Decode reads the data of an event; its error is fault.Malformed: the event will never be readable.
func Decode[T any](e Event) (T, error) {
	var t T
	if err := json.Unmarshal(e.Data, &t); err != nil {
		return t, fault.New(fault.Malformed).Because(fmt.Errorf("data of %s %s: %w", e.Type, e.ID, err))
	}
	return t, nil
}
