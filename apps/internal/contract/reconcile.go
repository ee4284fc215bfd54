package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// ReconcileRequest asks for what payment has stored and what the provider says of one day. An answer holds as
// much as payment could ask the provider for in the time of one call; the rest is behind After.
type ReconcileRequest struct {
	Date  string `json:"date"`            // YYYY-MM-DD in Asia/Seoul
	Limit int    `json:"limit,omitempty"` // 1–500, 500 when absent
	After string `json:"after,omitempty"` // what Next of the page before said
}

// Reconciliation is both sides of the orders of a day, sorted by order id: those whose payment was requested on
// it, and those of which the provider has a transaction of it.
type Reconciliation struct {
	Date  string           `json:"date"`
	Items []ReconciledItem `json:"items"`
	Next  string           `json:"next,omitempty"` // empty: there are no more
}

// ReconciledItem is one order id. Without a PaymentID payment does not know it; Provider is null when the provider
// does not.
type ReconciledItem struct {
	OrderID       string             `json:"orderId"`
	ReservationID string             `json:"reservationId,omitempty"` // absent when the order id is none of ours
	Purpose       string             `json:"purpose,omitempty"`
	PaymentID     string             `json:"paymentId,omitempty"`
	Status        string             `json:"status,omitempty"`
	Amount        money.KRW          `json:"amount"`
	Charged       money.KRW          `json:"charged"` // what payment believes that the provider took
	Refunds       []ReconciledRefund `json:"refunds,omitempty"`
	Provider      *ProviderPayment   `json:"provider"`
	RequestedAt   *time.Time         `json:"requestedAt,omitempty"`
}

// ReconciledRefund is a refund as payment has stored it.
type ReconciledRefund struct {
	RefundID  string    `json:"refundId"`
	Cause     string    `json:"cause"`
	Amount    money.KRW `json:"amount"`
	Status    string    `json:"status"`
	Reference string    `json:"reference,omitempty"` // it went back by bank transfer: the provider knows nothing of it
	SettledBy string    `json:"settledBy,omitempty"` // subject of the operator who recorded that
}

// ProviderPayment is a payment as the provider describes it at this moment.
type ProviderPayment struct {
	State   string           `json:"state"` // in the provider's words: DONE, CANCELED, …
	Total   money.KRW        `json:"total"`
	Balance money.KRW        `json:"balance"` // what was not returned
	Cancels []ProviderCancel `json:"cancels,omitempty"`
}

// ProviderCancel is money that the provider returned. The reason of one of ours holds the id of the refund.
type ProviderCancel struct {
	Reason string    `json:"reason"`
	Amount money.KRW `json:"amount"`
}
