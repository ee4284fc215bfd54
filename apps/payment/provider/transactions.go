package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/payment/domain"
)

// Transactions lists what was charged and returned from from until before to, whole seconds, oldest first: at most
// limit, behind the transaction after.
func (c *Client) Transactions(ctx context.Context, from, to time.Time, after string, limit int) ([]domain.Transaction, error) {
	page, err := c.transactions(ctx, from, to, after, limit)
	list := make([]domain.Transaction, len(page))
	for i, t := range page {
		list[i] = domain.Transaction{Key: t.Key, OrderID: t.OrderID, State: t.Status, Amount: t.Amount}
	}
	return list, err
}

// transaction is the part of the provider's Transaction object that matters: one approval or one cancellation.
type transaction struct {
	Key     string    `json:"transactionKey"`
	OrderID string    `json:"orderId"`
	Status  string    `json:"status"`
	Amount  money.KRW `json:"amount"`
}

// transactions reads a page. The provider takes seconds in Korean time, and its last second is included.
// Source: https://docs.tosspayments.com/guides/apis/transactions
func (c *Client) transactions(ctx context.Context, from, to time.Time, after string, limit int) ([]transaction, error) {
	const second = "2006-01-02T15:04:05"
	query := url.Values{
		"startDate": {from.In(terms.Seoul).Format(second)}, "endDate": {to.Add(-time.Second).In(terms.Seoul).Format(second)},
		"limit": {strconv.Itoa(limit)},
	}
	if after != "" {
		query.Set("startingAfter", after)
	}
	status, raw, failed := c.exchange(ctx, http.MethodGet, "/v1/transactions?"+query.Encode(), "", nil)
	if failed != nil {
		return nil, fmt.Errorf("list transactions: %w", failed.Cause)
	}
	var page []transaction
	if status != http.StatusOK || json.Unmarshal(raw, &page) != nil {
		return nil, fmt.Errorf("list transactions: the provider answered %d", status)
	}
	return page, nil
}
