package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/httpapi"
	"oneqtour/apps/payment/mysql"
	"oneqtour/apps/payment/provider"
	"oneqtour/apps/payment/usecase"
)

const (
	providerSecret = "test_sk_of_this_test"
	appToken       = "token-of-the-sidecar"
)

// simulator is the real program, in a process of its own.
type simulator struct {
	t    testing.TB
	addr string
	url  string
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "paymentsim")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "paymentsim")
	out, err := exec.Command("go", "build", "-o", binary, "oneqtour/apps/paymentsim").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if binary, err := built(); err == nil {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// freeAddr is an address at which nobody listens.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func simulate(t testing.TB, addr string) *simulator {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(binary)
	cmd.Env = []string{"ONEQ_ENVIRONMENT=development", "APP_PORT=" + port, "ONEQ_PROVIDER_SECRET_KEY=" + providerSecret,
		"ONEQ_LEDGER_FILE=" + filepath.Join(t.TempDir(), "ledger.jsonl"), "ONEQ_DRAIN_TIME=100ms"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("simulator:\n%s", out.String())
		}
	})
	eventually(t, "the simulator listens", func() bool {
		res, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return &simulator{t: t, addr: addr, url: "http://" + addr}
}

// ledger is what really happened to a reservation's money: what was charged and returned, and how many entries
// say so.
func (s *simulator) ledger(reservation string) (charged, returned money.KRW, entries int) {
	s.t.Helper()
	res, err := http.Get(s.url + "/_ledger?orderId=" + reservation)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var book struct {
		Entries []struct {
			Kind   string
			Amount money.KRW
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&book); err != nil {
		s.t.Fatal(err)
	}
	for _, e := range book.Entries {
		if e.Kind == "CHARGE" {
			charged += e.Amount
		} else {
			returned += e.Amount
		}
	}
	return charged, returned, len(book.Entries)
}

func (s *simulator) weather(text string) {
	s.t.Helper()
	res, err := http.Post(s.url+"/_control", "application/json", strings.NewReader(text))
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("weather %s: %v", text, err)
	}
	_ = res.Body.Close()
}

// service is payment with its real database and its real edge; the provider is where the test says.
type service struct {
	t        testing.TB
	db       *sql.DB
	app      *fiber.App
	payments *usecase.Service
	store    *mysql.Repository
	provider *provider.Client
	log      *buffer
	settings usecase.Settings
	ahead    atomic.Int64 // by how much the clock of the service is ahead, in ns
}

type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func serve(t testing.TB, providerURL string) *service {
	t.Helper()
	return serveOn(t, dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations()), providerURL)
}

// pace of the tests: what is lost is taken for lost soon.
var pace = domain.Pace{InFlight: 400 * time.Millisecond, Watch: 24 * time.Hour}

func serveOn(t testing.TB, db *sql.DB, providerURL string) *service {
	t.Helper()
	return serveWith(t, db, providerURL, usecase.Settings{Pace: pace, AnswerWithin: 2500 * time.Millisecond})
}

func serveWith(t testing.TB, db *sql.DB, providerURL string, settings usecase.Settings) *service {
	t.Helper()
	s := &service{t: t, db: db, log: &buffer{}, store: mysql.NewRepository(db, 20*time.Second, func() {}),
		provider: provider.New(providerURL, providerSecret, 8*time.Second), settings: settings}
	logger := telemetry.NewLogger(s.log, "payment", "debug")
	s.payments = usecase.New(usecase.Ports{
		Payments: s.store, Agenda: s.store, Books: s.store, Provider: s.provider,
		Clock: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}, s.settings)
	s.app = web.NewApp(web.Options{AppID: "payment", AppToken: appToken, Log: logger})
	httpapi.App(s.app, s.payments, web.Subscriptions{App: "payment", PubSub: "pubsub", Letters: deadletter.New(db)})
	t.Cleanup(func() {
		s.payments.Drain()
		if t.Failed() {
			t.Logf("log:\n%s", s.log)
		}
	})
	return s
}

// resumes lets the worker run until the test ends.
func (s *service) resumes() *service {
	ctx, stop := contextWith(zerolog.New(s.log))
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.payments.Resume(ctx) })
	s.t.Cleanup(func() { stop(); ended.Wait() })
	return s
}

// call is a request as the sidecar delivers it.
func (s *service) call(path string, body any, caller ...string) (int, []byte) {
	s.t.Helper()
	return s.callWith(http.Header{}, path, body, caller...)
}

func (s *service) callWith(header http.Header, path string, body any, caller ...string) (int, []byte) {
	s.t.Helper()
	raw, ok := body.([]byte)
	if !ok {
		raw, _ = json.Marshal(body)
	}
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(raw))
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Dapr-Api-Token", appToken)
	for _, c := range caller {
		req.Header.Add("Dapr-Caller-App-Id", c)
	}
	res, err := s.app.Test(req, -1)
	if err != nil {
		s.t.Error(err)
		return 0, nil
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, answer
}

func charge(reservation string, amount money.KRW, token string) contract.ApproveRequest {
	return contract.ApproveRequest{ReservationID: reservation, Purpose: contract.PurposePrice, Amount: amount,
		Method: contract.MethodCard, Token: token, CorrelationID: "corr-" + reservation[len(reservation)-6:]}
}

// approve gives the status of the answer and its word: the status of the payment, or the code of the problem.
func (s *service) approve(r contract.ApproveRequest) (int, string) {
	s.t.Helper()
	status, raw := s.call(contract.ApprovePath, r, "reservation")
	var said struct{ Status, Code any }
	_ = json.Unmarshal(raw, &said)
	if said.Code != nil {
		return status, fmt.Sprint(said.Code)
	}
	return status, fmt.Sprint(said.Status)
}

func (s *service) inquire(reservation string) contract.PaymentResult {
	s.t.Helper()
	status, raw := s.call(contract.InquirePath, contract.InquiryRequest{ReservationID: reservation, Purpose: contract.PurposePrice}, "reservation")
	var r contract.PaymentResult
	if err := json.Unmarshal(raw, &r); status != http.StatusOK || err != nil {
		s.t.Fatalf("inquiry: %d %s", status, raw)
	}
	return r
}

// becomes waits until the payment stands so.
func (s *service) becomes(reservation, status string) {
	s.t.Helper()
	eventually(s.t, "payment of "+reservation+" is "+status, func() bool { return s.stored(reservation).Status == domain.Status(status) })
}

func (s *service) stored(reservation string) domain.Snapshot {
	s.t.Helper()
	p, err := s.store.Find(s.t.Context(), domain.ReservationID(reservation), domain.Price)
	if err != nil {
		return domain.Snapshot{}
	}
	return p.Snapshot()
}

// hear delivers an event of reservation and gives the answer to the sidecar.
func (s *service) hear(eventType string, r contract.Reservation) string {
	s.t.Helper()
	r.Meta.CorrelationID, r.CorrelationID = "corr-1", "corr-1"
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "reservation", Type: eventType, Subject: r.ReservationID,
		Time: time.Now(), TraceParent: telemetry.Trace(s.t.Context())}, r)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.deliver(e)
}

func (s *service) deliver(e contract.Event) string {
	s.t.Helper()
	_, raw := s.call("/events/reservation", e)
	var answer struct{ Status string }
	_ = json.Unmarshal(raw, &answer)
	return answer.Status
}

// buries says that an event can never be read: it becomes a dead letter.
func (s *service) buries(eventType string, r contract.Reservation) {
	s.t.Helper()
	letters := func() (n int) {
		if err := s.db.QueryRow("SELECT COUNT(*) FROM dead_letters").Scan(&n); err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	before := letters()
	if got := s.hear(eventType, r); got != "SUCCESS" || letters() != before+1 {
		s.t.Errorf("%s is unreadable, and yet: %s, %d dead letters", eventType, got, letters()-before)
	}
}

func (s *service) voidOrder(reservation string) {
	s.t.Helper()
	if got := s.hear(contract.ReservationRejected, contract.Reservation{ReservationState: state(reservation), VoidOrder: true}); got != "SUCCESS" {
		s.t.Fatalf("void order: %s", got)
	}
}

func (s *service) cancel(reservation, refundID string, amount money.KRW) {
	s.t.Helper()
	r := contract.Reservation{ReservationState: state(reservation)}
	r.Cancellation = &contract.Cancellation{Parts: []contract.RefundPart{
		{RefundID: refundID, Purpose: contract.PurposePrice, Method: contract.MethodCard, Amount: amount, Status: contract.RefundRequested},
		{RefundID: newID(), Purpose: contract.PurposeBalance, Method: contract.MethodSavings, Amount: 5, Status: contract.RefundRequested},
	}}
	got := s.hear(contract.ReservationCancelRequested, r)
	if got != "SUCCESS" {
		s.t.Fatalf("cancel-requested: %s", got)
	}
}

func state(reservation string) contract.ReservationState {
	return contract.ReservationState{ReservationID: reservation, PaymentPlan: "FULL"}
}

// events are the stored events of a reservation's payments, oldest first, and their types without dressing.
func (s *service) events(reservation string) (words string, all []contract.Payment) {
	s.t.Helper()
	rows, err := s.db.Query("SELECT event FROM outbox WHERE partition_key = ? AND topic = 'payment' ORDER BY id", reservation)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var types []string
	for rows.Next() {
		var raw []byte
		var e contract.Event
		if err := rows.Scan(&raw); err != nil {
			s.t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			s.t.Fatal(err)
		}
		p, err := contract.Decode[contract.Payment](e)
		if err != nil {
			s.t.Fatal(err)
		}
		types = append(types, strings.TrimSuffix(strings.TrimPrefix(e.Type, "oneqtour.payment."), ".v1"))
		all = append(all, p)
	}
	return strings.Join(types, " "), all
}

func (s *service) refundIs(reservation string, status domain.RefundStatus) domain.Refund {
	s.t.Helper()
	var r domain.Refund
	eventually(s.t, "the refund is "+string(status), func() bool {
		if all := s.stored(reservation).Refunds; len(all) > 0 {
			r = all[0]
		}
		return r.Status == status
	})
	return r
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("not within 15 s: %s", what)
}
