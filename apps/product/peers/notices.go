// Package peers is how product reaches who is outside: the receiver of the MDs' notices, behind an output
// binding of the sidecar.
package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/mail"
	"strings"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/usecase"
)

// Binder hands data to an output binding.
type Binder interface {
	Bind(ctx context.Context, name, operation string, data []byte, metadata map[string]string) error
}

// Notices hands notices to a binding: as JSON documents, or as mails when it knows the MDs' addresses.
type Notices struct {
	sidecar Binder
	binding string
	address string
}

// NewNotices uses the named binding. address is empty, or makes a mail address of an MD's id: %s@example.com.
func NewNotices(sidecar Binder, binding, address string) (*Notices, error) {
	n := &Notices{sidecar, binding, address}
	if address == "" {
		return n, nil
	}
	if strings.Count(address, "%s") != 1 {
		return nil, fmt.Errorf("the address of notices, %q, has no single %%s", address)
	}
	_, err := n.addressOf("md")
	return n, err
}

// document is what a receiver gets. A notice may come more than once, each time with the same id.
type document struct {
	ID            string        `json:"id"` // {mdId}:{seq}
	MDID          string        `json:"mdId"`
	Seq           int64         `json:"seq"`
	ReservationID string        `json:"reservationId"`
	ProductID     string        `json:"productId"`
	Status        string        `json:"status"`
	Kind          string        `json:"kind"`
	Cause         string        `json:"cause"`
	At            time.Time     `json:"at"`
	Text          contract.Text `json:"text"`
}

// HandOver makes one attempt.
func (n *Notices) HandOver(ctx context.Context, m usecase.Message) error {
	// The HTTP binding passes on as headers what begins with a capital, and the mail binding nothing of it.
	metadata := map[string]string{"Idempotency-Key": m.ID}
	if n.address == "" {
		data, err := json.Marshal(document{
			ID: m.ID, MDID: string(m.MD), Seq: m.Seq, ReservationID: m.ReservationID, ProductID: string(m.ProductID),
			Status: m.Status, Kind: m.Kind, Cause: m.Cause, At: m.At, Text: m.Text,
		})
		if err != nil {
			return fmt.Errorf("notice %s: %w", m.ID, err)
		}
		return n.sidecar.Bind(ctx, n.binding, "create", data, metadata)
	}
	to, err := n.addressOf(string(m.MD))
	if err != nil {
		return err
	}
	metadata["emailTo"], metadata["subject"] = to, m.Title.Ko+" / "+m.Title.En+" ["+m.ID+"]"
	body := "<p>" + html.EscapeString(m.Text.Ko) + "</p><p lang=\"en\">" + html.EscapeString(m.Text.En) + "</p>"
	return n.sidecar.Bind(ctx, n.binding, "create", []byte(body), metadata)
}

// addressOf refuses what would be more than one address, or none: an MD's id comes from another's token.
func (n *Notices) addressOf(md string) (string, error) {
	to := strings.Replace(n.address, "%s", md, 1)
	parsed, err := mail.ParseAddress(to)
	if err != nil || parsed.Address != to || strings.ContainsAny(to, ";\r\n") {
		return "", fmt.Errorf("%q is no mail address", to)
	}
	return to, nil
}
