package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// ReconcileRequest asks for what payment has stored and what the provider says: page by page of one day, or of orders
// by their ids. Every page costs the provider one call, and so does every order that is asked for by its id.
type ReconcileRequest struct {
	Date     string   `json:"date,omitempty"`     // YYYY-MM-DD in Asia/Seoul; absent with OrderIDs
	Limit    int      `json:"limit,omitempty"`    // 1–1000 of a day, 500 when absent
	After    string   `json:"after,omitempty"`    // what Next of the page before said
	OrderIDs []string `json:"orderIds,omitempty"` // at most 500; then there are no pages
}

// Reconciliation is both sides of orders. Of a day these are those whose payment was requested on it, those that had
// a refund requested, returned or settled on it, and those of which the provider has a transaction of it. An order
// that the provider's list explains, a charge just as it is stored, is an item at once; the others are named, perhaps
// on several pages, and have to be asked for by their ids. An answer to ids holds as many as the time of a call
// allows, at least one.
type Reconciliation struct {
	Date   string           `json:"date,omitempty"`
	Items  []ReconciledItem `json:"items"`
	Orders []string         `json:"orders,omitempty"` // to be asked for by their ids
	Listed bool             `json:"listed,omitempty"` // the provider's list names the orders, whatever a page before has explained
	Next   string           `json:"next,omitempty"`   // empty: there are no more
}

// OrderID is the id under which the provider knows the payment of a reservation for a purpose.
func OrderID(reservationID, purpose string) string { return reservationID + "-" + purpose }

// ReconciledItem is one order id. Without a PaymentID payment does not know it; Provider is null when the provider
// does not.
type ReconciledItem struct {
	OrderID       string             `json:"orderId"`
	ReservationID string             `json:"reservationId,omitempty"` // absent when the order id is none of ours
	Purpose       string             `json:"purpose,omitempty"`
	PaymentID     string             `json:"paymentId,omitempty"`
	Status        string             `json:"status,omitempty"`
	Amount        money.KRW          `json:"amount"`
	Charged       money.KRW          `json:"charged"`                // what payment believes that the provider took
	ChargedLater  bool               `json:"chargedLater,omitempty"` // when the payment was declined or voided already
	Refunds       []ReconciledRefund `json:"refunds,omitempty"`
	Provider      *ProviderPayment   `json:"provider"`
	RequestedAt   *time.Time         `json:"requestedAt,omitempty"`
}

// ReconciledRefund is a refund as payment has stored it.
type ReconciledRefund struct {
	RefundID  string     `json:"refundId"`
	Cause     string     `json:"cause"`
	Amount    money.KRW  `json:"amount"`
	Status    string     `json:"status"`
	MovedAt   *time.Time `json:"movedAt,omitempty"`   // requested, retried, returned, refused or settled, the last time
	Reference string     `json:"reference,omitempty"` // it went back by bank transfer: the provider knows nothing of it
	SettledBy string     `json:"settledBy,omitempty"` // subject of the operator who recorded that
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
