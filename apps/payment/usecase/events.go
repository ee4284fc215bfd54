package usecase

import (
	"context"
	"fmt"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/payment/domain"
)

const app = "payment"

var types = map[domain.Happening]string{
	domain.WasApproved: contract.PaymentApproved,
	domain.WasDeclined: contract.PaymentDeclined,
	domain.WasVoided:   contract.PaymentVoided,
	domain.WasRefunded: contract.PaymentRefunded,
	domain.WasStuck:    contract.PaymentRefundStuck,
}

// events are what a changed payment has to say. The subject, and so the partition, is the reservation: all
// payments of a reservation are told in one line.
func (s *Service) events(ctx context.Context, p *domain.Payment, m domain.Moment) ([]contract.Event, error) {
	var events []contract.Event
	for _, what := range p.Happened() {
		data := public(p.Snapshot())
		e, err := contract.NewEvent(contract.Envelope{
			ID: s.newID(), Source: app, Type: types[what], Subject: data.ReservationID, Time: m.Now,
			TraceParent: telemetry.Trace(ctx),
		}, data)
		if err != nil {
			return nil, fmt.Errorf("payment event: %w", err)
		}
		events = append(events, e)
	}
	return events, nil
}

// public is the whole state of a payment as others may see it.
func public(p domain.Snapshot) contract.Payment {
	c := contract.Payment{
		Meta:      contract.Meta{Version: p.Version, CorrelationID: p.CorrelationID, CausationID: p.CausationID, Actor: app},
		PaymentID: string(p.ID), ReservationID: string(p.Reservation), Purpose: string(p.Purpose), Method: p.Method,
		Status: string(p.Status), Amount: p.Amount, DeclineCode: p.DeclineCode,
	}
	for _, r := range p.Refunds {
		c.Refunds = append(c.Refunds, contract.Refund{
			RefundID: string(r.ID), Cause: string(r.Cause), Amount: r.Amount, Status: string(r.Status), SettledBy: r.SettledBy,
		})
		c.Meta.CausationID = r.CausationID
	}
	return c
}
