package domain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
)

const reservation ReservationID = "0197a000-0000-7000-8000-000000000001"

var (
	start = time.Date(2026, 11, 22, 1, 2, 3, 456000, time.UTC)
	pace  = Pace{InFlight: 10 * time.Second, Watch: 24 * time.Hour}
)

func at(after time.Duration) Moment {
	return Moment{Now: start.Add(after), FreshID: RefundID(fmt.Sprintf("0197a000-0000-7000-8000-%012d", after/time.Millisecond+1)), Pace: pace}
}

func intent(amount money.KRW) Intent {
	return Intent{ID: "0197a000-0000-7000-8000-00000000000a", Reservation: reservation, Purpose: Price, Method: Card,
		Amount: amount, CorrelationID: "c-1", CausationID: "c-1"}
}

func requested(t *testing.T, amount money.KRW) *Payment {
	t.Helper()
	p, err := Request(intent(amount), at(0))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func done(total money.KRW) Charge {
	return Charge{State: "DONE", OrderID: OrderID(reservation, Price), Key: "pk", Total: total, Balance: total}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequestNamesEveryWrongField(t *testing.T) {
	_, err := Request(Intent{Reservation: "x", Purpose: "TIP", Method: "CASH", Amount: 99}, at(0))
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || refusal.Code != fault.Invalid || len(refusal.Fields) != 4 {
		t.Errorf("got %v", err)
	}
}

func TestTheOrderIDBeginsWithTheReservationAndIsReadBack(t *testing.T) {
	id := OrderID(reservation, Deposit)
	r, p, ok := ParseOrderID(id)
	if !strings.HasPrefix(id, string(reservation)) || len(id) > 64 || r != reservation || p != Deposit || !ok {
		t.Errorf("%s reads as %s %s %t", id, r, p, ok)
	}
	for _, wrong := range []string{"", "-", string(reservation), string(reservation) + "-", string(reservation) + "-TIP",
		strings.ToUpper(id), "x" + id, id + "\x00"} {
		if _, _, ok := ParseOrderID(wrong); ok {
			t.Errorf("%q passes for an order id", wrong)
		}
	}
}

// The table of domain.md: what a reply makes of a payment that is REQUESTED or UNKNOWN.
func TestN1_OnlyOurAmountDoneApproves_OnlyAListedRefusalDeclines(t *testing.T) {
	charge := func(change func(c *Charge)) Reply {
		c := done(10_000)
		change(&c)
		return Reply{Kind: Answered, Charge: c}
	}
	state := func(s string) Reply { return charge(func(c *Charge) { c.State = s }) }
	for name, c := range map[string]struct {
		reply   Reply
		status  Status
		answer  Status // of the request; "" = unknown
		refunds int
	}{
		"done":                          {charge(func(*Charge) {}), Approved, Approved, 0},
		"one won less":                  {charge(func(c *Charge) { c.Total--; c.Balance-- }), Voiding, Declined, 1},
		"one won more":                  {charge(func(c *Charge) { c.Total++; c.Balance++ }), Voiding, Declined, 1},
		"done but partly returned":      {state("PARTIAL_CANCELED"), Voiding, Declined, 1},
		"done for somebody else":        {charge(func(c *Charge) { c.OrderID = OrderID(reservation, Deposit) }), Unknown, "", 0},
		"in progress":                   {state("IN_PROGRESS"), Unknown, "", 0},
		"ready":                         {state("READY"), Unknown, "", 0},
		"waiting for a deposit":         {state("WAITING_FOR_DEPOSIT"), Unknown, "", 0},
		"a state nobody knows":          {state("done"), Unknown, "", 0},
		"aborted":                       {state("ABORTED"), Declined, Declined, 0},
		"expired":                       {state("EXPIRED"), Declined, Declined, 0},
		"canceled":                      {state("CANCELED"), Declined, Declined, 0},
		"listed refusal":                {Reply{Kind: Refused, Code: "REJECT_CARD_COMPANY"}, Declined, Declined, 0},
		"unlisted refusal":              {Reply{Kind: Refused, Code: "PROVIDER_ERROR"}, Unknown, "", 0},
		"already processed":             {Reply{Kind: Refused, Code: "ALREADY_PROCESSED_PAYMENT"}, Unknown, "", 0},
		"our own key is refused":        {Reply{Kind: Refused, Code: "UNAUTHORIZED_KEY"}, Unknown, "", 0},
		"refusal of refunds proves nil": {Reply{Kind: Refused, Code: "NOT_CANCELABLE_PAYMENT"}, Unknown, "", 0},
		"lost":                          {Reply{}, Unknown, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := requested(t, 10_000)
			must(t, p.Replied(c.reply, at(time.Second)))
			answer, err := p.Answer()
			if p.Status() != c.status || answer != c.answer || (err != nil) != (c.answer == "") || len(p.refunds) != c.refunds {
				t.Errorf("%s, answer %q %v, refunds %v", p.Status(), answer, err, p.refunds)
			}
			if c.answer == "" && !errors.Is(err, ErrUnknown) {
				t.Errorf("answer %v", err)
			}
			if c.answer != "" && c.answer != Approved && p.declineCode == "" {
				t.Error("declined without a code")
			}
		})
	}
}

func TestACallThatNeverLeftIsForgotten(t *testing.T) {
	p := requested(t, 10_000)
	must(t, p.Replied(Reply{Kind: NotSent}, at(0)))
	if _, err := p.Answer(); !p.Forgotten() || !errors.Is(err, ErrNotSent) {
		t.Errorf("forgotten %t, %v", p.Forgotten(), err)
	}

	// An inquiry that did not leave says nothing about the charge.
	p = requested(t, 10_000)
	must(t, p.Inquired(Reply{Kind: NotSent}, at(11*time.Second)))
	if p.Forgotten() || p.Status() != Unknown {
		t.Errorf("forgotten %t, %s", p.Forgotten(), p.Status())
	}

	// Forbidden while the call did not leave: that is the proof.
	p = requested(t, 10_000)
	must(t, p.Void("e-1", at(0)))
	must(t, p.Replied(Reply{Kind: NotSent}, at(0)))
	if answer, err := p.Answer(); p.Forgotten() || p.Status() != Voided || answer != Voided || err != nil {
		t.Errorf("%s, %s %v", p.Status(), answer, err)
	}
}

func TestNotFoundProvesNothingWhileTheCallMayBeOnItsWay(t *testing.T) {
	p := requested(t, 10_000)
	must(t, p.Void("e-1", at(0)))
	must(t, p.Inquired(Reply{Kind: NotFound}, at(time.Second)))
	if p.Status() != Voiding || !p.next.Equal(start.Add(pace.InFlight)) {
		t.Errorf("%s, next %s", p.Status(), p.next)
	}
	must(t, p.Inquired(Reply{Kind: NotFound}, at(10*time.Second)))
	if p.Status() != Voided {
		t.Error(p.Status())
	}

	// Without a void order it stays open for ever.
	p = requested(t, 10_000)
	for i := range 100 {
		must(t, p.Inquired(Reply{Kind: NotFound}, at(10*time.Second+time.Duration(i)*time.Minute)))
	}
	if p.Status() != Unknown {
		t.Error(p.Status())
	}
}

func TestAPaymentForbiddenBeforeItWasRequestedIsFinalAndNeverAskedFor(t *testing.T) {
	p, err := Forbid(intent(0), at(0))
	must(t, err)
	if answer, err := p.Answer(); answer != Voided || err != nil || p.NeedsInquiry() || !p.next.IsZero() {
		t.Errorf("%s %v, inquiry %t, next %s", answer, err, p.NeedsInquiry(), p.next)
	}
	if !p.Same(intent(5_000)) {
		t.Error("it means every request")
	}
}

func TestOtherAmountIsAnotherPayment(t *testing.T) {
	p := requested(t, 10_000)
	if !p.Same(intent(10_000)) || p.Same(intent(10_001)) {
		t.Error("compares amounts wrongly")
	}
}

func TestTheAnswerAfterTheInquiryChangesNothing(t *testing.T) {
	p := requested(t, 10_000)
	must(t, p.Inquired(Reply{Kind: Answered, Charge: done(10_000)}, at(time.Second)))
	before := p.Version()
	for _, r := range []Reply{{Kind: Answered, Charge: done(10_000)}, {}, {Kind: NotFound}, {Kind: NotSent}} {
		must(t, p.Replied(r, at(2*time.Second)))
	}
	if p.Status() != Approved || p.Version() != before || !p.next.IsZero() || p.Forgotten() {
		t.Errorf("%s version %d next %s", p.Status(), p.Version(), p.next)
	}
}

func TestBackOffIs500msDoubledUpTo30SecondsThenATwentiethOfTheAge(t *testing.T) {
	p := requested(t, 10_000)
	now := start
	must(t, p.Replied(Reply{}, Moment{Now: now, Pace: pace}))
	var got []string
	for range 9 {
		got = append(got, p.next.Sub(now).String())
		now = p.next
		must(t, p.Inquired(Reply{}, Moment{Now: now, Pace: pace}))
	}
	if s := strings.Join(got, " "); s != "500ms 1s 2s 4s 8s 16s 30s 30s 30s" {
		t.Error(s)
	}
	must(t, p.Inquired(Reply{}, at(time.Hour)))
	if d := p.next.Sub(start.Add(time.Hour)); d != 3*time.Minute {
		t.Errorf("after an hour it waits %s", d)
	}
}

func TestTheTokenShowsItselfToNobody(t *testing.T) {
	token, ok := NewToken("tok_ok.secret")
	shown := fmt.Sprintf("%v %+v %#v %s", token, token, struct{ T Token }{token}, token)
	if !ok || strings.Contains(shown, "secret") {
		t.Error(shown)
	}
	for _, wrong := range []string{"", "a b", "é", "a\n", strings.Repeat("x", 201)} {
		if _, ok := NewToken(wrong); ok {
			t.Errorf("%q passes for a token", wrong)
		}
	}
}
