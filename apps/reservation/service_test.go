package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/reservation/httpapi"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

// service is the real app on the real database; only the sidecar and payment are missing.
type service struct {
	*webtest.Server
	db              *sql.DB
	customer, other string
	md, operator    string
	everybody       string // of every role
	payment         *payment
	product         contract.Product
	t               *testing.T
}

// payment answers by the token of the card; its desk as a test says.
type payment struct {
	usecase.PaymentDesk
	answers map[string]usecase.Outcome
}

func (p *payment) Approve(_ context.Context, r contract.ApproveRequest) usecase.Outcome {
	if o, ok := p.answers[r.Token]; ok {
		return o
	}
	return usecase.Outcome{Kind: usecase.Approved, Result: contract.PaymentResult{PaymentID: "pay-1", ReservationID: r.ReservationID, Amount: r.Amount}}
}

func (p *payment) Inquire(_ context.Context, r contract.InquiryRequest) (contract.PaymentResult, error) {
	return contract.PaymentResult{ReservationID: r.ReservationID, Purpose: r.Purpose, Status: contract.PaymentNone}, nil
}

func start(t *testing.T) *service {
	t.Helper()
	issuer := webtest.Issuer(t)
	s := &service{t: t, customer: issuer.Bearer("customer-1", web.RoleCustomer), other: issuer.Bearer("customer-2", web.RoleCustomer),
		md: issuer.Bearer("md-1", web.RoleMD), operator: issuer.Bearer("operator-1", web.RoleOperator),
		everybody: issuer.Bearer("boss", web.RoleCustomer, web.RoleMD, web.RoleOperator),
		payment: &payment{answers: map[string]usecase.Outcome{
			"tok_declined": {Kind: usecase.Declined, Result: contract.PaymentResult{DeclineCode: "REJECT_CARD_COMPANY"}},
			"tok_unsent":   {Kind: usecase.Unsent}, "tok_unknown": {Kind: usecase.Unknown},
		}}}
	s.db = dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	repository := mysql.NewRepository(s.db)
	limits := usecase.DefaultLimits()
	limits.ProductWait = 10 * time.Millisecond
	reservations := usecase.New(usecase.Ports{
		Reservations: repository, Catalogue: repository, Keys: repository, Agenda: repository, Payments: s.payment, Desk: s.payment,
		Closings: repository, Compensations: repository, Operations: repository, Ledger: repository,
		Now: time.Now, NewID: newID, Committed: func() {},
	}, limits)
	app := web.NewApp(web.Options{AppID: "reservation", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	httpapi.Mount(app, web.NewIdentity(issuer.URL, webtest.Audience), reservations,
		web.Subscriptions{App: "reservation", PubSub: "pubsub", Letters: deadletter.New(s.db)})
	s.Server = webtest.Serve(t, app)
	date := string(terms.DateOf(time.Now()).AddDays(100))
	s.product = contract.Product{
		ProductID: newID(), MDID: "md-1", Status: contract.ProductOpen, Version: 1, Kind: terms.Overseas, Name: contract.Text{Ko: "오사카 3일", En: "Osaka"},
		Nights: 2, Price: 800_000, DiscountRate: 500, CancellationPolicy: contract.CancellationPolicy{Type: terms.Standard}, PolicyVersion: terms.Standard,
		Departures: []contract.Departure{
			{DepartureID: newID(), Date: date, Capacity: 20, MinParticipants: 1},
			{DepartureID: newID(), Date: date, Capacity: 1, MinParticipants: 1},
			{DepartureID: newID(), Date: date, Capacity: 9, MinParticipants: 1, Closure: &contract.Closure{Reason: "FORCE_MAJEURE", ClosedOn: date}},
			{DepartureID: newID(), Date: string(terms.DateOf(time.Now())), Capacity: 9, MinParticipants: 1},
		},
	}
	s.tell(contract.ProductRegistered)
	return s
}

func (s *service) tell(eventType string) {
	s.t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "product", Type: eventType, Subject: s.product.ProductID, Time: time.Now()}, s.product)
	if err != nil {
		s.t.Fatal(err)
	}
	if ack := s.Deliver("product", e); ack != "SUCCESS" {
		s.t.Fatalf("%s was answered %s", eventType, ack)
	}
}

type object = map[string]any

func (s *service) body(change ...func(object)) object {
	b := object{"productId": s.product.ProductID, "departureId": s.product.Departures[0].DepartureID, "travellers": 2, "paymentPlan": "FULL",
		"paymentMethod": object{"type": "CARD", "token": "tok_ok"}}
	for _, c := range change {
		c(b)
	}
	return b
}

func set(name string, value any) func(object) { return func(b object) { b[name] = value } }

func token(value string) func(object) {
	return set("paymentMethod", object{"type": "CARD", "token": value})
}

func (s *service) post(path, bearer, key string, body any) webtest.Response {
	s.t.Helper()
	header := map[string]string{}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return s.Do(webtest.Request{Method: "POST", Path: path, Bearer: bearer, Header: header, Body: body})
}

func (s *service) get(path, bearer string) webtest.Response {
	s.t.Helper()
	return s.Do(webtest.Request{Method: "GET", Path: path, Bearer: bearer})
}

// reserve makes a CONFIRMED reservation and gives its id.
func (s *service) reserve(bearer string) string {
	s.t.Helper()
	res := s.post("/reservations", bearer, newID(), s.body())
	if res.Status != 201 {
		s.t.Fatalf("%d %s", res.Status, res.Body)
	}
	var r struct{ ReservationID string }
	res.JSON(&r)
	return r.ReservationID
}

// shape is the sorted names of an answer's members, those of nested objects as a.b, of lists as a[].b.
func shape(v any, at string) (names []string) {
	switch x := v.(type) {
	case object:
		for name, value := range x {
			names = append(names, shape(value, strings.TrimPrefix(at+"."+name, "."))...)
		}
	case []any:
		all := map[string]bool{}
		for _, value := range x {
			for _, name := range shape(value, at+"[]") {
				all[name] = true
			}
		}
		names = slices.Collect(maps.Keys(all))
	default:
		return []string{at}
	}
	slices.Sort(names)
	return names
}

func (s *service) wantShape(what string, raw []byte, want string) {
	s.t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		s.t.Fatal(err)
	}
	wanted := strings.Fields(want)
	slices.Sort(wanted)
	if got := shape(v, ""); !slices.Equal(got, wanted) {
		s.t.Errorf("%s\n has   %s\n wants %s", what, strings.Join(got, " "), strings.Join(wanted, " "))
	}
}
