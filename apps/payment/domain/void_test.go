package domain

import (
	"slices"
	"testing"
	"time"
)

func voided(t *testing.T) *Payment {
	t.Helper()
	p := requested(t, 10_000)
	must(t, p.Replied(Reply{}, at(0)))
	must(t, p.Void("e-1", at(time.Second)))
	must(t, p.Inquired(Reply{Kind: NotFound}, at(10*time.Second)))
	if p.Status() != Voided {
		t.Fatal(p.Status())
	}
	p.Happened()
	return p
}

func TestK3_AVoidOrderReturnsWhatWasApprovedAndSaysSoOnce(t *testing.T) {
	p := requested(t, 10_000)
	must(t, p.Replied(Reply{Kind: Answered, Charge: done(10_000)}, at(0)))
	must(t, p.Void("e-1", at(time.Second)))
	must(t, p.Void("e-1", at(2*time.Second)))
	r, open := p.OpenRefund()
	if !open || r.Amount != 10_000 || r.Cause != CauseVoid || p.Status() != Voiding {
		t.Fatalf("%v %s", r, p.Status())
	}
	must(t, p.RefundReplied(r.ID, Reply{Kind: Answered, Charge: Charge{Cancels: []Return{{r.Reason(), 10_000}}}}, at(3*time.Second)))
	if h := p.Happened(); p.Status() != Voided || !slices.Equal(h, []Happening{WasApproved, WasVoided}) {
		t.Errorf("%s, happened %v", p.Status(), h)
	}
}

func TestK3_ACancellationAndAVoidOrderReturnTheWholeOnce(t *testing.T) {
	p := requested(t, 10_000)
	must(t, p.Replied(Reply{Kind: Answered, Charge: done(10_000)}, at(0)))
	must(t, p.Refund(Refund{ID: "r-1", Cause: CauseCancellation, Amount: 3_000}, at(0)))
	must(t, p.Void("e-1", at(time.Second)))
	if p.refunded() != 10_000 || p.Status() != Voiding {
		t.Errorf("%d won, %s", p.refunded(), p.Status())
	}
	for {
		r, open := p.OpenRefund()
		if !open {
			break
		}
		if p.Status() != Voiding {
			t.Fatal("voided before the money is back")
		}
		must(t, p.RefundReplied(r.ID, Reply{Kind: Answered, Charge: Charge{Cancels: []Return{{r.Reason(), r.Amount}}}}, at(2*time.Second)))
	}
	if p.Status() != Voided {
		t.Error(p.Status())
	}
}

func TestTheWatchOverAVoidedPaymentEndsAfter24HoursWithALastLook(t *testing.T) {
	p := voided(t)
	m := at(10 * time.Second)
	var looks int
	for !p.next.IsZero() && looks < 100 {
		if !p.next.After(m.Now) {
			t.Fatalf("look %d is not later than the one before", looks)
		}
		m.Now = p.next
		must(t, p.Inquired(Reply{Kind: NotFound}, m))
		looks++
	}
	if end := start.Add(10*time.Second + 24*time.Hour); looks < 8 || looks > 20 || !m.Now.Equal(end) {
		t.Errorf("%d looks, the last at %s", looks, m.Now)
	}
	if p.Status() != Voided || len(p.Happened()) != 0 {
		t.Error("watching changed something")
	}
}

func TestAWatchThatHearsNothingGoesOn(t *testing.T) {
	p := voided(t)
	m := at(10*time.Second + 25*time.Hour)
	must(t, p.Inquired(Reply{}, m))
	if p.next.IsZero() {
		t.Error("the last look was lost and is not repeated")
	}
	must(t, p.Inquired(Reply{Kind: NotFound}, m))
	if !p.next.IsZero() {
		t.Error("the watch does not end")
	}
}

func TestAChargeFoundLaterIsReturnedInFullAndChangesNoState(t *testing.T) {
	declined := requested(t, 10_000)
	must(t, declined.Replied(Reply{Kind: Refused, Code: "REJECT_CARD_PAYMENT"}, at(10*time.Second)))
	declined.Happened()
	for _, p := range []*Payment{voided(t), declined} {
		status := p.Status()
		t.Run(string(status), func(t *testing.T) {
			must(t, p.Inquired(Reply{Kind: Answered, Charge: done(10_000)}, at(time.Hour)))
			must(t, p.Inquired(Reply{Kind: Answered, Charge: done(10_000)}, at(time.Hour+1)))
			r, open := p.OpenRefund()
			if !open || r.Amount != 10_000 || p.refunded() != 10_000 || len(p.Alarms()) != 1 {
				t.Fatalf("%v, alarms %v", p.refunds, p.Alarms())
			}
			must(t, p.RefundReplied(r.ID, Reply{Kind: Answered, Charge: Charge{Cancels: []Return{{r.Reason(), 10_000}}}}, at(2*time.Hour)))
			if h := p.Happened(); p.Status() != status || !slices.Equal(h, []Happening{WasRefunded}) || p.next.IsZero() {
				t.Errorf("%s, happened %v, next %s", p.Status(), h, p.next)
			}
		})
	}
}
