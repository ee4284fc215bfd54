package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
)

// What operators ask payment, through reservation: payment answers nobody else.

// Timeline implements usecase.PaymentDesk.
func (p *Payment) Timeline(ctx context.Context, reservationID string) ([]contract.PaymentStep, error) {
	t, err := ask[contract.PaymentTimeline](ctx, p, contract.PaymentTimelinePath, contract.PaymentTimelineRequest{ReservationID: reservationID})
	return t.Items, err
}

// ListRefunds implements usecase.PaymentDesk.
func (p *Payment) ListRefunds(ctx context.Context, r contract.RefundListRequest) (contract.RefundList, error) {
	return ask[contract.RefundList](ctx, p, contract.RefundListPath, r)
}

// RetryRefund implements usecase.PaymentDesk.
func (p *Payment) RetryRefund(ctx context.Context, r contract.RefundRetryRequest) (contract.RefundItem, error) {
	return ask[contract.RefundItem](ctx, p, contract.RefundRetryPath, r)
}

// SettleRefund implements usecase.PaymentDesk.
func (p *Payment) SettleRefund(ctx context.Context, r contract.RefundSettlementRequest) (contract.RefundItem, error) {
	return ask[contract.RefundItem](ctx, p, contract.RefundSettlementPath, r)
}

// Reconcile implements usecase.PaymentDesk.
func (p *Payment) Reconcile(ctx context.Context, r contract.ReconcileRequest) (contract.Reconciliation, error) {
	return ask[contract.Reconciliation](ctx, p, contract.ReconcilePath, r)
}

// ask gives payment's answer or its refusal; UNAVAILABLE when it gave neither.
func ask[T any](ctx context.Context, p *Payment, path string, body any) (T, error) {
	var answer T
	res, err := p.post(ctx, path, body)
	if err == nil && res.Status == http.StatusOK {
		if err = json.Unmarshal(res.Body, &answer); err == nil {
			return answer, nil
		}
	}
	if err == nil {
		err = refusal(res.Status, res.Body)
	}
	if fault.CodeOf(err) == fault.Internal {
		err = fault.New(fault.Unavailable).After(time.Second).Because(fmt.Errorf("%s: %w", path, err))
	}
	return answer, err
}

// refusal passes on what payment refuses; its other failures are none of the caller's.
func refusal(status int, body []byte) error {
	var problem struct {
		Code   fault.Code
		Errors []struct{ Field, Code string }
	}
	switch status {
	case http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
		if json.Unmarshal(body, &problem) == nil && problem.Code != "" {
			refused := fault.New(problem.Code)
			for _, e := range problem.Errors {
				refused.Fields = append(refused.Fields, fault.Field{Name: e.Field, Code: e.Code})
			}
			return refused
		}
	}
	return fmt.Errorf("payment answered %d", status)
}
