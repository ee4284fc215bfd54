package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"oneqtour/apps/internal/terms"
)

const (
	perPage  = 1000
	maxPages = 1000 // of one day; a list that is longer does not end
)

// Orders lists the order ids of what was charged and returned from from until before to, whole seconds; an order
// is named once, however often it moved.
func (c *Client) Orders(ctx context.Context, from, to time.Time) ([]string, error) {
	seen, orders, after := map[string]bool{}, []string{}, ""
	for range maxPages {
		page, err := c.transactions(ctx, from, to, after)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if !seen[t.OrderID] {
				seen[t.OrderID] = true
				orders = append(orders, t.OrderID)
			}
		}
		if len(page) < perPage {
			return orders, nil
		}
		after = page[len(page)-1].Key
	}
	return nil, errors.New("the provider's list of transactions does not end")
}

// transaction is the part of the provider's Transaction object that matters: one approval or one cancellation.
type transaction struct {
	Key     string `json:"transactionKey"`
	OrderID string `json:"orderId"`
}

// transactions reads a page. The provider takes seconds in Korean time, and its last second is included.
// Source: https://docs.tosspayments.com/guides/apis/transactions
func (c *Client) transactions(ctx context.Context, from, to time.Time, after string) ([]transaction, error) {
	const second = "2006-01-02T15:04:05"
	query := url.Values{
		"startDate": {from.In(terms.Seoul).Format(second)}, "endDate": {to.Add(-time.Second).In(terms.Seoul).Format(second)},
		"limit": {strconv.Itoa(perPage)},
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
