package usecase_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

// books is what payment and the provider say. The day has pages of two; every other order of it, and what is only in
// others, has to be asked for by its id, and an answer to ids holds at most two.
type books struct {
	usecase.PaymentDesk
	items  []contract.ReconciledItem
	others []contract.ReconciledItem // of other days
	silent bool
	mute   bool     // about ids
	later  []string // orders that the provider's list names on a page of their own, the last
	asked  []string
}

func (b *books) byID(orders []string) (answer contract.Reconciliation) {
	b.asked = append(b.asked, orders...)
	for _, order := range orders[:min(2, len(orders))] {
		item := contract.ReconciledItem{OrderID: order, ReservationID: strings.TrimSuffix(order, "-PRICE"), Purpose: contract.PurposePrice}
		for _, i := range slices.Concat(b.items, b.others) {
			if i.OrderID == order {
				item = i
			}
		}
		answer.Items = append(answer.Items, item)
	}
	return answer
}

func (b *books) Reconcile(_ context.Context, r contract.ReconcileRequest) (contract.Reconciliation, error) {
	if b.silent {
		return contract.Reconciliation{}, fault.New(fault.Unavailable)
	}
	if len(r.OrderIDs) > 0 {
		if b.mute {
			return contract.Reconciliation{}, nil
		}
		return b.byID(r.OrderIDs), nil
	}
	if r.After == "later" {
		return contract.Reconciliation{Orders: b.later, Listed: true}, nil
	}
	from := 0
	if r.After != "" {
		from = 1 + slices.IndexFunc(b.items, func(i contract.ReconciledItem) bool { return i.OrderID == r.After })
	}
	to := min(from+2, len(b.items))
	page := contract.Reconciliation{Date: r.Date}
	for n := from; n < to; n++ {
		if n%2 == 0 {
			page.Items = append(page.Items, b.items[n])
		} else {
			page.Orders = append(page.Orders, b.items[n].OrderID, b.items[0].OrderID)
		}
	}
	if to < len(b.items) {
		page.Next = b.items[to-1].OrderID
	} else if len(b.later) > 0 {
		page.Next = "later"
	}
	return page, nil
}

// day is a day with one reservation of each kind, and the books that agree with it.
type day struct {
	*stage
	books                                           *books
	confirmed, cancelled, settled, voided, declined string
	date                                            terms.Date
}

func (d *day) order(id string) *contract.ReconciledItem {
	for i := range d.books.items {
		if d.books.items[i].ReservationID == id {
			return &d.books.items[i]
		}
	}
	d.t.Fatalf("no order of %s", id)
	return nil
}

// elsewhere makes the order one of another day.
func (d *day) elsewhere(id string) *contract.ReconciledItem {
	item := *d.order(id)
	d.books.items = slices.DeleteFunc(d.books.items, func(i contract.ReconciledItem) bool { return i.ReservationID == id })
	d.books.others = append(d.books.others, item)
	return &d.books.others[len(d.books.others)-1]
}

func newDay(t *testing.T) *day {
	s := newStage(t, 20)
	d := &day{stage: s, books: &books{}, date: terms.DateOf(time.Now())}
	s.service = s.with(func(p *usecase.Ports) { p.Desk = d.books })
	requested := time.Now()
	add := func(r *contract.ReservationState, status string) *contract.ReconciledItem {
		d.books.items = append(d.books.items, contract.ReconciledItem{
			OrderID: contract.OrderID(r.ReservationID, contract.PurposePrice), ReservationID: r.ReservationID, Purpose: contract.PurposePrice, PaymentID: "pay-" + r.ReservationID,
			Status: status, Amount: 760_000, Charged: 760_000, RequestedAt: &requested,
			Provider: &contract.ProviderPayment{State: "DONE", Total: 760_000, Balance: 760_000}})
		return &d.books.items[len(d.books.items)-1]
	}
	reserve := func(name string) *contract.ReservationState {
		a, err := s.reserve(name, "k", 1)
		if err != nil && fault.CodeOf(err) != fault.PaymentDeclined {
			t.Fatal(err)
		}
		return a.Reservation
	}
	cancel := func(name string) (string, contract.RefundPart) {
		r := reserve(name)
		a, err := s.cancel(name, "c", domain.ReservationID(r.ReservationID))
		if err != nil {
			t.Fatal(err)
		}
		part := a.Reservation.Cancellation.Parts[0]
		s.hear(contract.PaymentRefunded, refundEvent(r.ReservationID, part.RefundID, "CANCELLATION", contract.RefundDone))
		item := add(r, contract.PaymentIsApproved)
		item.Refunds = []contract.ReconciledRefund{{RefundID: part.RefundID, Cause: "CANCELLATION", Amount: part.Amount, Status: "DONE"}}
		return r.ReservationID, part
	}
	r := reserve("confirmed")
	add(r, contract.PaymentIsApproved)
	d.confirmed = r.ReservationID

	id, part := cancel("cancelled")
	d.cancelled = id
	d.order(id).Provider = &contract.ProviderPayment{State: "CANCELED", Total: 760_000, Cancels: []contract.ProviderCancel{{Reason: "refund " + part.RefundID, Amount: part.Amount}}}
	id, _ = cancel("settled")
	d.settled = id
	d.order(id).Refunds[0].Reference = "BANK-1"

	s.cashier.approve = always(usecase.Declined)
	r = reserve("voided")
	item := add(r, contract.PaymentIsVoided)
	item.Provider = &contract.ProviderPayment{State: "CANCELED", Total: 760_000, Cancels: []contract.ProviderCancel{{Reason: "void", Amount: 760_000}}}
	item.Refunds = []contract.ReconciledRefund{{RefundID: "void", Cause: contract.RefundCauseVoid, Amount: 760_000, Status: contract.RefundDone}}
	d.voided = r.ReservationID
	r = reserve("declined")
	item = add(r, contract.PaymentIsDeclined)
	item.Charged, item.Provider = 0, nil
	d.declined = r.ReservationID
	s.clock.Store(int64(10 * time.Minute)) // nothing is in flight any more
	return d
}

func (d *day) reconcile() usecase.Reconciliation {
	d.t.Helper()
	r, err := d.service.Reconcile(d.t.Context(), d.date)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func TestReconciliationOfACleanDay(t *testing.T) {
	d := newDay(t)
	if r := d.reconcile(); len(r.Differences) != 0 || r.Checked != (usecase.Checked{Reservations: 5, Payments: 5, Refunds: 3, Charges: 4}) || r.Date != d.date {
		t.Errorf("%+v", r)
	}
}

func TestReconciliationWaitsForWhatIsInFlight(t *testing.T) {
	d := newDay(t)
	d.clock.Store(0)
	d.order(d.confirmed).Provider = nil
	if r := d.reconcile(); len(r.Differences) != 0 || r.Checked.InFlight != 5 || r.Checked.Reservations != 5 {
		t.Errorf("%+v", r)
	}
}

// Of an order that was just requested reservation may not know yet.
func TestReconciliationWaitsForAnOrderThatWasJustRequested(t *testing.T) {
	d := newDay(t)
	requested := time.Now().Add(10 * time.Minute) // the clock of the test
	d.books.items = append(d.books.items, contract.ReconciledItem{OrderID: "x", RequestedAt: &requested,
		Provider: &contract.ProviderPayment{State: "DONE", Total: 5000, Balance: 5000}})
	if r := d.reconcile(); len(r.Differences) != 0 || r.Checked.InFlight != 1 {
		t.Errorf("%+v", r)
	}
	d.clock.Store(int64(20 * time.Minute))
	if r := d.reconcile(); len(r.Differences) != 1 || r.Differences[0].Kind != usecase.ChargeWithoutReservation || r.Checked.InFlight != 0 {
		t.Errorf("%+v", r)
	}
}

// A retried refund has reached the card, and reservation has not heard of it yet; later that is a difference.
func TestReconciliationWaitsForARefundThatHasJustMoved(t *testing.T) {
	d := newDay(t)
	d.exec("UPDATE reservations SET document = JSON_SET(document, '$.cancellation.parts[0].status', 'STUCK') WHERE id = ?", d.cancelled)
	moved := time.Now().Add(10 * time.Minute) // the clock of the test
	d.order(d.cancelled).Refunds[0].MovedAt = &moved
	if r := d.reconcile(); len(r.Differences) != 0 || r.Checked.InFlight != 1 {
		t.Errorf("%+v", r)
	}
	d.clock.Store(int64(20 * time.Minute))
	if r := d.reconcile(); len(r.Differences) != 1 || r.Differences[0].Kind != usecase.RefundDiffers || r.Checked.InFlight != 0 {
		t.Errorf("%+v", r)
	}
}

// Nobody but reservation knows of them, so only its own pages tell.
func TestReconciliationReadsEveryReservationOfADay(t *testing.T) {
	d := newDay(t)
	d.exec(`INSERT INTO reservations (id, customer_id, departure_id, status, version, created_at, changed_at, document)
		SELECT CONCAT(LEFT(id, 32), LPAD(n.seq, 4, '0')), customer_id, departure_id, status, version, created_at, changed_at,
			JSON_SET(document, '$.id', CONCAT(LEFT(id, 32), LPAD(n.seq, 4, '0')))
		FROM reservations, (WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 700) SELECT seq FROM n) n WHERE id = ?`, d.confirmed)
	if r := d.reconcile(); r.Checked.Reservations != 705 || len(r.Differences) != 700 {
		t.Errorf("%+v, %d differences", r.Checked, len(r.Differences))
	}
}

// Somebody gave a charge back on its own day, so many movements later that the list tells of it on another page.
func TestReconciliationSeesWhatALaterPageSaysOfAnOrder(t *testing.T) {
	d := newDay(t)
	item := *d.order(d.confirmed)
	item.Provider = returned("console", 760_000)
	d.books.others, d.books.later = append(d.books.others, item), []string{item.OrderID}
	if r := d.reconcile(); len(r.Differences) != 1 || r.Differences[0].Kind != usecase.RefundDiffers || r.Differences[0].AmountDiff != -760_000 {
		t.Errorf("%+v", r)
	}
}

func TestReconciliationIsAllOrNothing(t *testing.T) {
	d := newDay(t)
	d.books.silent = true
	if _, err := d.service.Reconcile(t.Context(), d.date); fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
	d.books.silent, d.books.mute = false, true
	if _, err := d.service.Reconcile(t.Context(), d.date); fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

// A compensation is compared with its reservation when it falls due and when it is paid.
func TestReconciliationOfCompensations(t *testing.T) {
	d := newDay(t)
	d.exec("UPDATE reservations SET document = JSON_SET(document, '$.departureDate', ?) WHERE id = ?", string(d.date.AddDays(3)), d.confirmed)
	d.close(terms.SupplierFault)
	d.resume(func() bool { return d.count("SELECT COUNT(*) FROM closings") == 0 })
	d.clock.Store(int64(20 * time.Minute))
	item := d.order(d.confirmed)
	state, err := d.repository.Find(t.Context(), domain.ReservationID(d.confirmed))
	if err != nil {
		t.Fatal(err)
	}
	part := usecase.State(state).Cancellation.Parts[0]
	d.hear(contract.PaymentRefunded, refundEvent(d.confirmed, part.RefundID, "CANCELLATION", contract.RefundDone))
	item.Provider.Cancels = []contract.ProviderCancel{{Reason: part.RefundID, Amount: part.Amount}}
	item.Refunds = []contract.ReconciledRefund{{RefundID: part.RefundID, Cause: "CANCELLATION", Amount: part.Amount, Status: "DONE"}}
	d.clock.Store(int64(40 * time.Minute))
	owed := d.count("SELECT COUNT(*) FROM compensations")
	if got := d.reconcile(); owed != 1 || len(got.Differences) != 0 || got.Checked.Compensations != owed {
		t.Errorf("%+v, %d owed", got, owed)
	}
	d.exec("UPDATE compensations SET amount = amount + 1")
	if got := d.reconcile(); len(got.Differences) != 1 || got.Differences[0].AmountDiff != -1 {
		t.Errorf("%+v", got)
	}
	d.exec("UPDATE compensations SET amount = amount - 1, status = 'PAID', paid_at = due_at")
	if got := d.reconcile(); len(got.Differences) != 1 || got.Differences[0].Kind != usecase.CompensationDiffers || got.Differences[0].AmountDiff != 0 {
		t.Errorf("%+v", got)
	}
}

// Reservations from before the column of their last change are found on its day.
func TestOldReservationsAreFoundOnTheDayOfTheirLastChange(t *testing.T) {
	s := newStage(t, 20)
	a, err := s.reserve("old", "k", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.exec(`UPDATE reservations SET changed_at = NULL, created_at = '2026-03-01 00:00:00',
		document = JSON_SET(document, '$.history[1].at', '2026-03-04T14:59:59.1234567Z') WHERE id = ?`, a.Reservation.ReservationID)
	s.exec("DELETE FROM schema_reservation WHERE version_id >= 11") // those behind it can be repeated
	if err := mysqldb.Migrate(t.Context(), s.db, mysql.Migrations()); err != nil {
		t.Fatal(err)
	}
	for day, found := range map[terms.Date]int{"2026-03-01": 1, "2026-03-02": 0, "2026-03-04": 1, "2026-03-05": 0} {
		list, err := s.repository.ChangedBetween(t.Context(), day.Begin(), day.AddDays(1).Begin(), "", 10)
		if err != nil || len(list) != found {
			t.Errorf("%s: %d, %v", day, len(list), err)
		}
	}
}
