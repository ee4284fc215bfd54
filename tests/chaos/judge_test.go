package chaos

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

var noon = time.Date(2027, 3, 14, 12, 0, 0, 0, time.UTC)

func hit(victim string, from, until float64) struck {
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	return struck{fault: fault{Victim: victim}, Began: at(from), Ended: at(until)}
}

func TestSecondsOfReserving(t *testing.T) {
	call := func(at, took float64, status int) oracle.Call {
		from := noon.Add(time.Duration(at * float64(time.Second)))
		return oracle.Call{Op: oracle.OpReserve, Start: from, End: from.Add(time.Duration(took * float64(time.Second))), Status: status}
	}
	for name, c := range map[string]struct {
		calls []oracle.Call
		done  []struck
		want  availability // of two seconds
	}{
		"answered":                            {[]oracle.Call{call(0.1, 1, 201), call(1.1, 0.1, 409)}, nil, availability{Counted: 2}},
		"one of many is unanswered":           {[]oracle.Call{call(0.1, 1, 201), call(0.2, 1, 0), call(0.3, 1, 201)}, nil, availability{Counted: 1, Bad: 1, Idle: 1}},
		"turned away":                         {[]oracle.Call{call(0.1, 1, 429), call(1.1, 1, 503)}, nil, availability{Counted: 2, Bad: 2}},
		"taken for a stranger":                {[]oracle.Call{call(0.1, 1, 401), call(1.1, 1, 408)}, nil, availability{Counted: 2, Bad: 2}},
		"too slow":                            {[]oracle.Call{call(0.1, 5.1, 201)}, nil, availability{Counted: 1, Bad: 1, Idle: 1}},
		"another service is hit":              {[]oracle.Call{call(0.1, 1, 500)}, []struck{hit("store.daprd", 0, 2)}, availability{Counted: 1, Bad: 1, Idle: 1}},
		"a service of lower rank is hit":      {[]oracle.Call{call(0.1, 0.1, 201)}, []struck{hit("product", 0, 0.5)}, availability{Counted: 1, Idle: 1, Lower: 1}},
		"its sidecar is hit while one waits":  {[]oracle.Call{call(0.1, 3, 0)}, []struck{hit("payment.daprd", 2, 4)}, availability{Excused: 1, Idle: 1}},
		"it was hit long after one was asked": {[]oracle.Call{call(0.1, 9, 0)}, []struck{hit("payment.daprd", 6, 7)}, availability{Counted: 1, Bad: 1, Idle: 1}},
		"just after a fault of the database":  {[]oracle.Call{call(0.1, 0.1, 503)}, []struck{hit("mariadb.link", -7, -4.5)}, availability{Aftermath: 1, Felt: 1, Idle: 1}},
		"long after a fault of the database":  {[]oracle.Call{call(0.9, 0.1, 503)}, []struck{hit("mariadb.link", -8, -5.1)}, availability{Counted: 1, Bad: 1, Idle: 1}},
		"while the breaker may be open":       {[]oracle.Call{call(1.1, 0.1, 503)}, []struck{hit("paymentsim", -5, -3.5)}, availability{Aftermath: 2, Felt: 1}},
	} {
		for _, got := range availabilities(c.calls, c.done, noon, 2) {
			if got.Path != reserving {
				continue
			}
			got.Path, got.Everyone, got.Examples = "", 0, nil
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
	if (availability{}).Share() != 0 {
		t.Error("nothing judged is taken for always available")
	}
}

func TestASampleMayBeBlindOnlyWhileTheDatabaseIsAway(t *testing.T) {
	lost := fmt.Errorf("reservation: %w", context.DeadlineExceeded)
	looks := []look{
		{noon, noon.Add(time.Second), nil},
		{noon.Add(time.Second), noon.Add(6 * time.Second), lost},                             // excused
		{noon.Add(3 * time.Second), noon.Add(4 * time.Second), errors.New("unknown column")}, // found even now
		{noon.Add(20 * time.Second), noon.Add(25 * time.Second), lost},                       // slow
	}
	s, found := judgeLooks(looks, []struck{hit("mariadb", 2, 5)})
	if want := (samples{Seeing: 1, Excused: 1, Slow: 1}); s != want || len(found) != 1 || found[0].Kind != oracle.Blind {
		t.Errorf("%+v, %v", s, found)
	}
}

// The share of a run that says something about reserving must not depend on the dice.
func TestMostSchedulesLeaveReservingAlonePartOfTheTime(t *testing.T) {
	for seed := range uint64(200) {
		telling := seed
		for !tells(schedule(telling, 3*time.Minute), 3*time.Minute) {
			telling++
		}
		if telling > seed+5 {
			t.Errorf("after seed %d only %d leaves enough", seed, telling)
		}
	}
	if tells([]fault{{At: 0, For: 3 * time.Minute, Victim: "payment"}}, 3*time.Minute) {
		t.Error("a schedule that leaves no second is taken")
	}
}

// heard is what a report was criticized for.
type heard []string

func (*heard) Helper() {}

func (h *heard) Errorf(format string, args ...any) { *h = append(*h, fmt.Sprintf(format, args...)) }

// Of a run that shows nothing wrong, each of these alone makes one that does.
func TestAReportOfARunThatSaysTooLittleIsRefused(t *testing.T) {
	good := func() *report {
		r := &report{Seconds: 180, Planned: 7, Samples: samples{Seeing: 170}, Seats: oracle.Linear{Departures: leastSeats}, Done: map[string]int{"closure": 1}}
		for _, k := range kinds {
			r.Faults = append(r.Faults, recovered{hit(k.victims[0], 1, 2), time.Second})
		}
		r.Availability = []availability{{Path: reserving, Counted: 100}, {Path: "store", Counted: 100, Lower: 1}}
		return r
	}
	for name, change := range map[string]func(*report){
		"":                                    func(*report) {},
		"nothing at all":                      func(r *report) { *r = report{} },
		"a finding":                           func(r *report) { r.Findings = []oracle.Finding{{Kind: oracle.Oversold}} },
		"a fault that was not undone":         func(r *report) { r.Faults[0].Err = "exit status 1" },
		"nobody recovered from a fault":       func(r *report) { r.Faults[0].Recovery = -1 },
		"a fault was felt for long":           func(r *report) { r.Faults[0].Recovery = mostRecovery + 1 },
		"one kind was never hit":              func(r *report) { r.Faults[0] = r.Faults[1] },
		"there were no faults":                func(r *report) { r.Faults = nil },
		"most faults did not happen":          func(r *report) { r.Planned = 15 },
		"nothing was seen":                    func(r *report) { r.Samples = samples{Excused: 170} },
		"little was seen":                     func(r *report) { r.Samples = samples{Seeing: 170, Slow: 50} },
		"seldom was anything seen":            func(r *report) { r.Samples = samples{Seeing: 40} },
		"seats that were not decided":         func(r *report) { r.Seats.Undecided = 1 },
		"few seats":                           func(r *report) { r.Seats.Departures-- },
		"reserving was away":                  func(r *report) { r.Availability[0].Bad = 2 },
		"the store was away":                  func(r *report) { r.Availability[1].Bad = 2 },
		"reserving was excused nearly always": func(r *report) { r.Availability[0].Counted = 35 },
		"the store was never alone":           func(r *report) { r.Availability[1].Lower = 0 },
		"no closure":                          func(r *report) { r.Done["closure"] = 0 },
	} {
		r, said := good(), heard{}
		change(r)
		if r.judge(&said, whollyJudged); len(said) > 0 != (name != "") {
			t.Errorf("%q: %q", name, said)
		}
	}
}
