// Package peers is the one synchronous call of reservation: to payment, through the sidecars.
package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/usecase"
)

const paymentApp = "payment"

// repeats of an undelivered call: a replica that died stays known to the sidecar for a while.
const repeats = 2

// Invoker calls another app.
type Invoker interface {
	Invoke(ctx context.Context, r sidecar.Request) (sidecar.Response, error)
}

// Payment calls payment.
type Payment struct{ invoker Invoker }

// NewPayment uses the sidecar.
func NewPayment(i Invoker) *Payment { return &Payment{i} }

// Approve charges. Unsent is said only when it is certain: the breaker is open, nobody could be reached, or
// payment itself says that the provider was not. One attempt of unknown fate makes the call Unknown.
func (p *Payment) Approve(ctx context.Context, r contract.ApproveRequest) usecase.Outcome {
	for attempt := 0; ; attempt++ {
		res, err := p.post(ctx, contract.ApprovePath, r)
		if undelivered, ok := errors.AsType[*sidecar.Undelivered](err); ok {
			if undelivered.Refused || attempt == repeats {
				return usecase.Outcome{Kind: usecase.Unsent, Refused: undelivered.Refused, Reason: err.Error()}
			}
			continue
		}
		if err != nil {
			return usecase.Outcome{Kind: usecase.Unknown, Reason: err.Error()}
		}
		return outcome(res, r)
	}
}

func outcome(res sidecar.Response, r contract.ApproveRequest) usecase.Outcome {
	switch res.Status {
	case http.StatusOK:
		result, err := read(res.Body)
		switch {
		case err != nil || result.ReservationID != r.ReservationID:
			return usecase.Outcome{Kind: usecase.Unknown, Reason: "unreadable answer of payment"}
		case result.Status == contract.PaymentIsApproved && result.Amount == r.Amount:
			return usecase.Outcome{Kind: usecase.Approved, Result: result}
		case result.Status == contract.PaymentIsDeclined, result.Status == contract.PaymentIsVoided:
			return usecase.Outcome{Kind: usecase.Declined, Result: result}
		}
		return usecase.Outcome{Kind: usecase.Unknown, Reason: "payment answered " + result.Status}
	case http.StatusServiceUnavailable:
		var problem struct{ Code string }
		if json.Unmarshal(res.Body, &problem) == nil && problem.Code == contract.CodePaymentNotSent {
			return usecase.Outcome{Kind: usecase.Unsent, Refused: true, Reason: "payment could not reach the provider"}
		}
	}
	return usecase.Outcome{Kind: usecase.Unknown, Reason: fmt.Sprintf("payment answered %d", res.Status)}
}

// Inquire asks what became of a payment.
func (p *Payment) Inquire(ctx context.Context, r contract.InquiryRequest) (contract.PaymentResult, error) {
	res, err := p.post(ctx, contract.InquirePath, r)
	if err != nil {
		return contract.PaymentResult{}, err
	}
	if res.Status != http.StatusOK {
		return contract.PaymentResult{}, fmt.Errorf("inquiry: payment answered %d", res.Status)
	}
	result, err := read(res.Body)
	if err == nil && (result.ReservationID != r.ReservationID || result.Purpose != r.Purpose) {
		return contract.PaymentResult{}, fmt.Errorf("inquiry: payment answered for %s %s", result.ReservationID, result.Purpose)
	}
	return result, err
}

func (p *Payment) post(ctx context.Context, path string, body any) (sidecar.Response, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return sidecar.Response{}, err
	}
	return p.invoker.Invoke(ctx, sidecar.Request{
		App: paymentApp, Method: http.MethodPost, Path: path, Body: raw,
		Header: http.Header{
			"Content-Type":             {"application/json"},
			contract.HeaderCorrelation: {telemetry.Correlation(ctx)},
			"Traceparent":              {telemetry.Trace(ctx)},
		},
	})
}

func read(raw []byte) (contract.PaymentResult, error) {
	var result contract.PaymentResult
	if err := json.Unmarshal(raw, &result); err != nil {
		return result, fmt.Errorf("answer of payment: %w", err)
	}
	return result, nil
}
