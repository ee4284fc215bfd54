package main

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

// transaction is Toss Payments' Transaction object: one approval or one cancellation.
// Source: https://docs.tosspayments.com/guides/apis/transactions
type transaction struct {
	MID            string  `json:"mId"`
	TransactionKey string  `json:"transactionKey"`
	PaymentKey     string  `json:"paymentKey"`
	OrderID        string  `json:"orderId"`
	Method         string  `json:"method"`
	CustomerKey    *string `json:"customerKey"`
	UseEscrow      bool    `json:"useEscrow"`
	ReceiptURL     string  `json:"receiptUrl"`
	Status         string  `json:"status"` // of the payment, after it
	TransactionAt  string  `json:"transactionAt"`
	Currency       string  `json:"currency"`
	Amount         int64   `json:"amount"` // won that moved

	at time.Time
}

const (
	transactionsPerPage = 100
	mostTransactions    = 5000
)

// transactionOf is the movement that has just made the payment what it is.
func transactionOf(p *payment, e entry) transaction {
	return transaction{
		MID: p.MID, TransactionKey: *p.LastTransactionKey, PaymentKey: p.PaymentKey, OrderID: p.OrderID, Method: p.Method,
		UseEscrow: p.UseEscrow, Status: p.Status, TransactionAt: koreanTime(e.At), Currency: p.Currency, Amount: e.Amount,
		at: e.At,
	}
}

// transactions lists what moved from startDate to endDate, in Korean time, to the second, both inclusive; behind
// the transaction startingAfter.
func (s *server) transactions(c *fiber.Ctx) error {
	from, err := koreanSecond(c.Query("startDate"))
	if err != nil {
		return errInvalidRequest
	}
	to, err := koreanSecond(c.Query("endDate"))
	if err != nil || to.Before(from) {
		return errInvalidRequest
	}
	limit := transactionsPerPage
	if text := c.Query("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostTransactions {
			return errInvalidRequest
		}
	}
	found := s.book.transactions(from, to.Add(time.Second))
	if after := c.Query("startingAfter"); after != "" {
		i := slices.IndexFunc(found, func(t transaction) bool { return t.TransactionKey == after })
		if i < 0 {
			return errTransactionKey
		}
		found = found[i+1:]
	}
	return c.Status(http.StatusOK).JSON(found[:min(limit, len(found))])
}

func koreanSecond(text string) (time.Time, error) {
	return time.ParseInLocation("2006-01-02T15:04:05", text, korea)
}

// transactions are those that were made from from until before to, oldest first.
func (b *book) transactions(from, to time.Time) []transaction {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := []transaction{}
	for _, t := range b.listed {
		if !t.at.Before(from) && t.at.Before(to) {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b transaction) int { return a.at.Compare(b.at) })
	return found
}
