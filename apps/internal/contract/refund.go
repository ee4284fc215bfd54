package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// RefundListRequest asks for refunds that stand so, oldest first.
type RefundListRequest struct {
	Status string `json:"status"`          // REQUESTED, DONE, STUCK
	Limit  int    `json:"limit,omitempty"` // 1–100, 20 when absent
	After  string `json:"after,omitempty"` // what Next of the page before said
}

// RefundList is one page of refunds.
type RefundList struct {
	Items []RefundItem `json:"items"`
	Next  string       `json:"next,omitempty"` // empty: there are no more
}

// RefundItem is a refund as operators see it.
type RefundItem struct {
	RefundID      string     `json:"refundId"`
	PaymentID     string     `json:"paymentId"`
	ReservationID string     `json:"reservationId"`
	Purpose       string     `json:"purpose"`
	Cause         string     `json:"cause"`
	Amount        money.KRW  `json:"amount"`
	Status        string     `json:"status"`
	Code          string     `json:"code,omitempty"` // why it is, or was, stuck
	RequestedAt   time.Time  `json:"requestedAt"`
	Retries       int        `json:"retries,omitempty"`
	Reference     string     `json:"reference,omitempty"` // of the bank transfer by which it was settled
	SettledBy     string     `json:"settledBy,omitempty"` // subject of the operator
	SettledAt     *time.Time `json:"settledAt,omitempty"`
}

// RefundRetryRequest has the provider asked again for a refund that is stuck. Answered with the RefundItem.
// 404 NOT_FOUND; 409 NOT_STUCK.
type RefundRetryRequest struct {
	RefundID string `json:"refundId"`
	Actor    string `json:"actor"` // subject of the operator
}

// RefundSettlementRequest records that a stuck refund was paid by bank transfer. Answered with the RefundItem.
// 404 NOT_FOUND; 409 NOT_STUCK, unless it was settled by the same reference.
type RefundSettlementRequest struct {
	RefundID  string `json:"refundId"`
	Reference string `json:"reference"` // 1–100 visible ASCII characters
	Actor     string `json:"actor"`
}
