package chaos

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// N3, K7: payment becomes slow. The breaker opens, people are turned away at once and politely, nobody is charged and
// refused, and all recovers by itself.
func TestN3_K7_ASlowProviderTurnsPeopleAwayForAMoment(t *testing.T) {
	people := whole(t)
	p := people.special(t, 3000)
	before := breakerTurns()
	weather := func(body string) {
		sys.As(t, "").At(sys.URL(8099)).Do("POST", "/_control", body).Is(t, http.StatusOK)
	}
	weather(`{"latencyMs":5000}`)
	t.Cleanup(func() { weather(`{}`) })
	crowd := func(length, until time.Duration, perSecond rate.Limit) []stack.Answer {
		return people.reserveFor(t, p, length, perSecond, until)
	}
	crowd(20*time.Second, 0, 40) // ends with the first who is turned away
	awaitTurn(t, before, "open", 5*time.Second)
	from := len(people.log.Calls())
	turnedAway := crowd(15*time.Second, -1, 40)
	var took []time.Duration
	for _, c := range people.log.Calls()[from:] {
		if c.Op == oracle.OpReserve {
			took = append(took, c.End.Sub(c.Start))
		}
	}
	if err := saveCalls(filepath.Join(sys.Dir, "overload.jsonl"), people.log.Calls()[from:]); err != nil {
		t.Error(err)
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("%d answers while the breaker was open: p50 %s, p99 %s, slowest %s", len(took), took[len(took)/2], p99, took[len(took)-1])
	if middle := took[len(took)/2]; middle > time.Second || p99 > 2*time.Second && os.Getenv("ONEQ_RACE") == "" {
		t.Errorf("answers took %s, p99 %s", middle, p99)
	}
	polite(t, turnedAway)
	awaitTurn(t, before, "half-open", 15*time.Second)
	weather(`{}`)
	stack.Eventually(t, 20*time.Second, "reserving works again", func() error {
		a := people.reserveOnce(customer(0), p, "tok_ok", "ko")
		if now := breakerTurns(); a.Status != http.StatusCreated || now["closed"] <= before["closed"] {
			return fmt.Errorf("the breaker turned %v, and reserving was answered %d %s", now, a.Status, a.Body)
		}
		return nil
	})
	t.Logf("the breaker turned %v", breakerTurns())
	r := &report{}
	r.settle(t, sources(t), people.log)
	for _, f := range r.Findings {
		t.Error(f)
	}
	t.Logf("settled after %s", r.Settled)
}

// special is a product of its own, on no market, which everybody can reserve.
func (l *load) special(t *testing.T, capacity int) tour {
	t.Helper()
	body := object{"kind": "OVERSEAS", "name": object{"ko": "여행", "en": "Trip"}, "description": object{"ko": "…", "en": "…"}, "country": "JP", "nights": 2,
		"price": 100_000, "discountRate": 0, "recommendation": 1, "cancellationPolicy": object{"type": "STANDARD"},
		"departures": []object{{"date": inDays(15), "capacity": capacity, "minParticipants": 1}}}
	made := decode[product](l.ask(oracle.Call{User: mds[0], Op: "register", Service: "product"}, "POST", "/api/products", body).Is(t, http.StatusCreated))
	p := tour{id: made.ProductID, md: mds[0], departures: []departure{{made.Departures[0].DepartureID, capacity}}}
	l.log.AskCapacity(p.departures[0].id, capacity)
	l.log.AskPrice(p.id, oracle.Price{Won: 100_000})
	stack.Eventually(t, 15*time.Second, "it can be reserved", func() error {
		if a := l.reserveOnce(customer(0), p, "tok_ok", "ko"); a.Status != http.StatusCreated {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	return p
}

func (l *load) reserveOnce(user string, p tour, token, language string, headers ...string) stack.Answer {
	wish := oracle.Call{User: user, Op: oracle.OpReserve, Service: "reservation", Key: newID(), Token: token, Product: p.id, Departure: p.departures[0].id, Travellers: 1}
	return l.ask(wish, "POST", "/api/reservations", object{"productId": p.id, "departureId": p.departures[0].id, "travellers": 1,
		"paymentPlan": "FULL", "paymentMethod": object{"type": "CARD", "token": token}}, append(headers, "Accept-Language", language)...)
}

// reserveFor lets everybody reserve at that rate; with until 0 the first who is turned away ends it.
func (l *load) reserveFor(t *testing.T, p tour, length time.Duration, perSecond rate.Limit, until time.Duration) []stack.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	pace := rate.NewLimiter(perSecond, 1)
	var mu sync.Mutex
	var answers []stack.Answer
	var all sync.WaitGroup
	for n := 0; pace.Wait(ctx) == nil; n++ {
		all.Go(func() {
			a := l.reserveOnce(customer(n%customers), p, "tok_ok", []string{"ko", "en"}[n%2])
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, a)
			if until == 0 && a.Code() == oracle.Busy {
				cancel()
			}
		})
	}
	all.Wait()
	return answers
}

// polite: who is turned away is told so in one's own language, and when to come back.
func polite(t *testing.T, answers []stack.Answer) {
	t.Helper()
	languages, wrong := map[string]int{}, map[string]int{}
	for _, a := range answers {
		said := decode[struct{ Code, Title, Detail string }](a)
		korean := strings.ContainsFunc(said.Title+said.Detail, func(r rune) bool { return unicode.Is(unicode.Hangul, r) })
		language := a.Header.Get("Content-Language")
		switch {
		case a.Status == http.StatusAccepted || a.Status == http.StatusCreated: // who tried whether payment is well again
		case said.Code == oracle.Busy && a.Header.Get("Retry-After") != "" && korean == (language == "ko") && said.Detail != "":
			languages[language]++
		default:
			wrong[fmt.Sprintf("%d %s, Retry-After %q, %s: %s", a.Status, said.Code, a.Header.Get("Retry-After"), language, said.Detail)]++
		}
	}
	if languages["ko"] == 0 || languages["en"] == 0 || len(wrong) > 0 {
		t.Errorf("turned away: %v; otherwise: %v", languages, wrong)
	}
	t.Logf("turned away: %v", languages)
}

var turnLine = regexp.MustCompile(`(?m)^dapr_resiliency_activations_total\{[^}]*policy="circuitbreaker",status="([a-z-]+)",target="app_payment[^}]*\} (\d+)$`)

// breakerTurns is how often reservation's breakers towards payment have turned to each state. Each path of payment has
// a breaker of its own; they share these lines. (The gauge dapr_resiliency_cb_state tells of the one that was used
// last: by an inquiry, which goes through, it says closed while reserving is shut.)
func breakerTurns() map[string]int {
	turns := map[string]int{}
	res, err := stack.HTTP.Get(sys.URL(3803))
	if err != nil {
		return turns
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return turns
	}
	for _, m := range turnLine.FindAllSubmatch(raw, -1) {
		n, _ := strconv.Atoi(string(m[2]))
		turns[string(m[1])] += n
	}
	return turns
}

// awaitTurn waits until a breaker has turned to that state since it was counted before.
func awaitTurn(t *testing.T, before map[string]int, state string, within time.Duration) {
	t.Helper()
	stack.Eventually(t, within, "the breaker is "+state, func() error {
		if now := breakerTurns(); now[state] <= before[state] {
			return fmt.Errorf("it turned %v, and before %v", now, before)
		}
		return nil
	})
}
