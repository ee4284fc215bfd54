// Package e2e shows the requirements from outside: through the gateway, on the whole real system.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/tests/stack"
)

var (
	sys      *stack.Stack
	listener *stack.Listener
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	// With nothing: a run before may have left another broker or store, or books that a test has forged.
	_, err := stack.Fresh()
	if err == nil {
		sys, err = stack.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if listener, err = sys.Listen("product", "reservation", "payment"); err != nil {
		fmt.Fprintln(os.Stderr, errors.Join(err, sys.Stop()))
		return 1
	}
	code := m.Run()
	if err := errors.Join(listener.Stop(), sys.Stop(), sys.Complaints()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

type object = map[string]any

// The documents of the API, as far as the tests read them. Written here anew: a test that shared the
// services' types would not notice when one is renamed.
type product struct {
	ProductID, MDID, Status string
	Version                 int64
	Price                   int64
	Departures              []struct {
		DepartureID, Date string
		Capacity          int
	}
}

type reservation struct {
	ReservationID, Status, ProductID, DepartureID, CorrelationID string
	Version, Travellers                                          int
	Price                                                        struct{ List, Discount, Payable, DueNow int64 }
	Payment                                                      *struct {
		PaymentID, Status string
		Amount            int64
	}
	Payments     []struct{ Amount, Refunded int64 }
	Cancellation *struct {
		DaysBefore   int
		FeeRate, Fee int64
		Refund       int64
		Parts        []struct {
			Purpose, Status string
			Amount          int64
		}
	}
}

type item struct {
	ProductID, Kind               string
	Price, DiscountedPrice        int64
	Recommendation, ReservedCount int
	Version                       int64
	Departures                    []struct {
		DepartureID, Date string
		SeatsLeft         int
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// today in Seoul, and so many days later.
func inDays(n int) string {
	return time.Now().In(time.FixedZone("Asia/Seoul", 9*60*60)).AddDate(0, 0, n).Format(time.DateOnly)
}

// osaka is the body of a product as in the API's description.
func osaka(capacity int, days ...int) object {
	if len(days) == 0 {
		days = []int{120}
	}
	var departures []object
	for _, n := range days {
		departures = append(departures, object{"date": inDays(n), "capacity": capacity, "minParticipants": 1})
	}
	return object{
		"kind": "OVERSEAS", "name": object{"ko": "오사카 3일 + 5% 적금", "en": "Osaka 3 days"},
		"description": object{"ko": "벚꽃이 피는 오사카", "en": "Osaka in bloom"}, "country": "JP", "nights": 2,
		"price": 800000, "discountRate": 500, "recommendation": 5, "fxBenefitRate": 3300,
		"savingsOffer":       object{"baseRate": 300, "preferentialRate": 50, "termMonths": 12},
		"cancellationPolicy": object{"type": "STANDARD"}, "departures": departures,
	}
}

// register lets md-1 register a product.
func register(t testing.TB, body object) product {
	t.Helper()
	return stack.Read[product](t, sys.As(t, "md-1").Do("POST", "/api/products", body).Is(t, 201))
}

// wish is the body of a reservation of the product's first departure.
func wish(p product, travellers int, token string) object {
	return object{"productId": p.ProductID, "departureId": p.Departures[0].DepartureID, "travellers": travellers,
		"paymentPlan": "FULL", "paymentMethod": object{"type": "CARD", "token": token}}
}

// reserve posts with a fresh key.
func reserve(t testing.TB, customer string, body object) stack.Answer {
	t.Helper()
	return sys.As(t, customer).With("Idempotency-Key", newID()).Do("POST", "/api/reservations", body)
}

// ledgerEntry is a line of the provider's ledger.
type ledgerEntry struct {
	Kind, OrderID string
	Amount        int64
	At            time.Time
}

func ledger(t testing.TB) []ledgerEntry {
	t.Helper()
	return stack.Read[struct{ Entries []ledgerEntry }](t, sys.As(t, "").At(sys.URL(8099)).Do("GET", "/_ledger", nil).Is(t, 200)).Entries
}

// charges counts how often the provider charged for a reservation.
func charges(t testing.TB, id string) (n int) {
	t.Helper()
	for _, e := range ledger(t) {
		if e.Kind == "CHARGE" && strings.HasPrefix(e.OrderID, id) {
			n++
		}
	}
	return n
}

// long skips what needs the machine for minutes; make test-matrix has it.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("ONEQ_TEST_LONG") == "" {
		t.Skip("make test-matrix has it")
	}
}

// slow marks what `make test-fast` leaves out.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a matter of minutes; make test has it")
	}
}
