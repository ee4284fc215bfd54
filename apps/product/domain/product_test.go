package domain

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// now is 2026-11-22 in Seoul, and still the day before in UTC.
var now = time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)

func occasion() Occasion {
	n := 0
	return Occasion{At: now, NewID: func() string { n++; return fmt.Sprintf("new-%d", n) }}
}

func draft() Draft {
	return Draft{
		Details: Details{
			Kind: terms.Overseas, Name: Text{"오사카 3일", "Osaka 3 days"}, Country: "JP", Nights: 2, Price: 800_000,
			DiscountRate: 500, Recommendation: 5, FXBenefitRate: 3300, Savings: &SavingsOffer{300, 50, 12},
			Policy: Policy{Type: terms.Standard},
		},
		Departures: []DepartureDraft{{Date: "2027-03-14", Capacity: 20, MinParticipants: 8}},
	}
}

func registered(t *testing.T, change ...func(*Draft)) *TourProduct {
	t.Helper()
	d := draft()
	for _, c := range change {
		c(&d)
	}
	p, err := Register("p-1", "md-1", d, occasion())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written is the draft that repeats a product as GET shows it.
func written(p *TourProduct) Draft {
	s := p.Snapshot()
	d := Draft{Details: s.Details, Repeats: Repeats{&s.ID, &s.MD, &s.Status, &s.Version, &s.PolicyVersion, &s.CreatedAt}}
	for _, dep := range s.Departures {
		d.Departures = append(d.Departures, DepartureDraft(dep))
	}
	return d
}

func special(rate money.BasisPoints) Policy {
	return Policy{Type: terms.Special, Tiers: []terms.Tier{{FromDays: 30, Rate: 0}, {FromDays: 0, Rate: rate}}, Consent: &Text{Ko: "동의합니다"}}
}

// fields are the refused members with their codes.
func fields(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || refusal.Code != fault.Invalid {
		t.Fatalf("got %v, want a refusal with fields", err)
	}
	var names []string
	for _, f := range refusal.Fields {
		names = append(names, f.Name+" "+f.Code)
	}
	return names
}

func TestF1_BoundsOfAProduct(t *testing.T) {
	long := func(n int) string { return strings.Repeat("가", n) }
	cases := []struct {
		name   string
		change func(d *Draft)
		want   string // the member that is refused, with its code; empty: accepted
	}{
		{"kind missing", func(d *Draft) { d.Kind = "" }, "kind REQUIRED"},
		{"kind unknown", func(d *Draft) { d.Kind = "SPACE" }, "kind NOT_ALLOWED"},
		{"name missing", func(d *Draft) { d.Name.Ko = " " }, "name.ko REQUIRED"},
		{"name of 200 characters", func(d *Draft) { d.Name = Text{long(200), long(200)} }, ""},
		{"name of 201 characters", func(d *Draft) { d.Name.Ko = long(201) }, "name.ko TOO_LONG"},
		{"English name of 201 characters", func(d *Draft) { d.Name.En = long(201) }, "name.en TOO_LONG"},
		{"description of 4,000 characters", func(d *Draft) { d.Description.Ko = long(4000) }, ""},
		{"description of 4,001 characters", func(d *Draft) { d.Description.En = long(4001) }, "description.en TOO_LONG"},
		{"price 999", func(d *Draft) { d.Price = 999 }, "price OUT_OF_RANGE"},
		{"price 1,000", func(d *Draft) { d.Price = 1_000 }, ""},
		{"price 100,000,000", func(d *Draft) { d.Price = 100_000_000 }, ""},
		{"price 100,000,001", func(d *Draft) { d.Price = 100_000_001 }, "price OUT_OF_RANGE"},
		{"discount 90 %", func(d *Draft) { d.DiscountRate = 9_000 }, ""},
		{"discount above 90 %", func(d *Draft) { d.DiscountRate = 9_001 }, "discountRate OUT_OF_RANGE"},
		{"discount below 0", func(d *Draft) { d.DiscountRate = -1 }, "discountRate OUT_OF_RANGE"},
		{"day trip", func(d *Draft) { d.Nights = 0 }, ""},
		{"60 nights", func(d *Draft) { d.Nights = 60 }, ""},
		{"61 nights", func(d *Draft) { d.Nights = 61 }, "nights OUT_OF_RANGE"},
		{"6 stars", func(d *Draft) { d.Recommendation = 6 }, "recommendation OUT_OF_RANGE"},
		{"FX benefit above 100 %", func(d *Draft) { d.FXBenefitRate = 10_001 }, "fxBenefitRate OUT_OF_RANGE"},
		{"no savings offer", func(d *Draft) { d.Savings = nil }, ""},
		{"base rate above 20 %", func(d *Draft) { d.Savings.BaseRate = 2_001 }, "savingsOffer.baseRate OUT_OF_RANGE"},
		{"preferential rate above 20 %", func(d *Draft) { d.Savings.PreferentialRate = 2_001 }, "savingsOffer.preferentialRate OUT_OF_RANGE"},
		{"term of 0 months", func(d *Draft) { d.Savings.TermMonths = 0 }, "savingsOffer.termMonths OUT_OF_RANGE"},
		{"term of 37 months", func(d *Draft) { d.Savings.TermMonths = 37 }, "savingsOffer.termMonths OUT_OF_RANGE"},
		{"country missing", func(d *Draft) { d.Country = "" }, "country REQUIRED"},
		{"country in small letters", func(d *Draft) { d.Country = "jp" }, "country BAD_FORMAT"},
		{"country of three letters", func(d *Draft) { d.Country = "JPN" }, "country BAD_FORMAT"},
		{"country of two bytes that is no letter", func(d *Draft) { d.Country = "é" }, "country BAD_FORMAT"},
		{"no departure", func(d *Draft) { d.Departures = nil }, "departures REQUIRED"},
		{"101 departures", func(d *Draft) { d.Departures = manyDepartures(101) }, "departures TOO_LONG"},
		{"100 departures", func(d *Draft) { d.Departures = manyDepartures(100) }, ""},
		{"departure tomorrow in Seoul", func(d *Draft) { d.Departures[0].Date = "2026-11-23" }, ""},
		{"departure today in Seoul", func(d *Draft) { d.Departures[0].Date = "2026-11-22" }, "departures[0].date IN_THE_PAST"},
		{"no date", func(d *Draft) { d.Departures[0].Date = "" }, "departures[0].date REQUIRED"},
		{"a date that no calendar has", func(d *Draft) { d.Departures[0].Date = "2027-02-29" }, "departures[0].date BAD_FORMAT"},
		{"a date beyond the calendar", func(d *Draft) { d.Departures[0].Date = "9999-12-31" }, "departures[0].date OUT_OF_RANGE"},
		{"capacity 0", func(d *Draft) { d.Departures[0].Capacity, d.Departures[0].MinParticipants = 0, 1 }, "departures[0].capacity OUT_OF_RANGE"},
		{"capacity 10,001", func(d *Draft) { d.Departures[0].Capacity = 10_001 }, "departures[0].capacity OUT_OF_RANGE"},
		{"fewer seats than participants", func(d *Draft) { d.Departures[0].MinParticipants = 21 }, "departures[0].minParticipants OUT_OF_RANGE"},
		{"no participants", func(d *Draft) { d.Departures[0].MinParticipants = 0 }, "departures[0].minParticipants OUT_OF_RANGE"},
		{"two departures on a date", func(d *Draft) { d.Departures = append(d.Departures, d.Departures[0]) }, "departures[1].date DUPLICATE"},
		{"a departure that nobody knows", func(d *Draft) { d.Departures[0].ID = "d-9" }, "departures[0].departureId NOT_ALLOWED"},
		{"a departure born closed", func(d *Draft) { d.Departures[0].Closure = &Closure{Reason: ForceMajeure} }, "departures[0].closure READ_ONLY"},
		{"a status by the client", func(d *Draft) { s := Open; d.Repeats.Status = &s }, "status READ_ONLY"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := draft()
			c.change(&d)
			_, err := Register("p-1", "md-1", d, occasion())
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			if got := fields(t, err); !slices.Equal(got, want) {
				t.Errorf("refused %v, want %v", got, want)
			}
		})
	}
}

func manyDepartures(n int) []DepartureDraft {
	var out []DepartureDraft
	for i := range n {
		out = append(out, DepartureDraft{Date: terms.Date("2027-01-01").AddDays(i), Capacity: 20, MinParticipants: 1})
	}
	return out
}

func TestF2_CountryFitsTheKind(t *testing.T) {
	for _, c := range []struct{ kind, country, want string }{
		{terms.Domestic, "KR", ""}, {terms.Domestic, "JP", "country NOT_ALLOWED"},
		{terms.Overseas, "JP", ""}, {terms.Overseas, "KR", "country NOT_ALLOWED"},
	} {
		d := draft()
		d.Kind, d.Country = c.kind, c.country
		_, err := Register("p-1", "md-1", d, occasion())
		if got := strings.Join(fields(t, err), ""); got != c.want {
			t.Errorf("%s in %s: refused %q, want %q", c.kind, c.country, got, c.want)
		}
	}
}

func TestF1_EnglishFallsBackToKorean(t *testing.T) {
	s := registered(t, func(d *Draft) { d.Name.En = "" }).Snapshot()
	if s.Details.Name.En != "오사카 3일" {
		t.Errorf("English name %q", s.Details.Name.En)
	}
}

func TestF1_SpecialCancellationTerms(t *testing.T) {
	tiers := func(ts ...terms.Tier) func(*Policy) { return func(p *Policy) { p.Tiers = ts } }
	cases := []struct {
		name   string
		change func(*Policy)
		want   string
	}{
		{"complete", func(*Policy) {}, ""},
		{"no type", func(p *Policy) { p.Type = "" }, "cancellationPolicy.type REQUIRED"},
		{"unknown type", func(p *Policy) { p.Type = "MILD" }, "cancellationPolicy.type NOT_ALLOWED"},
		{"no consent", func(p *Policy) { p.Consent = nil }, "cancellationPolicy.consent REQUIRED"},
		{"empty consent", func(p *Policy) { p.Consent = &Text{} }, "cancellationPolicy.consent.ko REQUIRED"},
		{"no tiers", tiers(), "cancellationPolicy.tiers REQUIRED"},
		{"days rise", tiers(terms.Tier{FromDays: 5}, terms.Tier{FromDays: 5}, terms.Tier{}), "cancellationPolicy.tiers[1].fromDays OUT_OF_RANGE"},
		{"rates fall", tiers(terms.Tier{FromDays: 5, Rate: 1000}, terms.Tier{Rate: 999}), "cancellationPolicy.tiers[1].rate OUT_OF_RANGE"},
		{"not down to day 0", tiers(terms.Tier{FromDays: 5, Rate: 1000}), "cancellationPolicy.tiers[0].fromDays OUT_OF_RANGE"},
		{"90 %", tiers(terms.Tier{Rate: 9000}), ""},
		{"more than 90 %", tiers(terms.Tier{Rate: 9001}), "cancellationPolicy.tiers[0].rate OUT_OF_RANGE"},
		{"tiers for standard terms", func(p *Policy) { p.Type, p.Consent = terms.Standard, nil }, "cancellationPolicy.tiers NOT_ALLOWED"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := draft()
			d.Policy = special(5000)
			c.change(&d.Policy)
			_, err := Register("p-1", "md-1", d, occasion())
			if got := strings.Join(fields(t, err), ", "); got != c.want {
				t.Errorf("refused %q, want %q", got, c.want)
			}
		})
	}
}

func TestF3_PolicyVersionChangesWithTheSpecialTermsOnly(t *testing.T) {
	p := registered(t)
	consent := special(9000)
	consent.Consent = &Text{Ko: "다른 동의"}
	steps := []struct {
		name   string
		change func(d *Draft)
		want   string
	}{
		{"standard terms, another price", func(d *Draft) { d.Price = 900_000 }, "STANDARD"},
		{"special terms", func(d *Draft) { d.Policy = special(5000) }, "SPECIAL-3"},
		{"another price", func(d *Draft) { d.Price = 950_000 }, "SPECIAL-3"},
		{"other tiers", func(d *Draft) { d.Policy = special(9000) }, "SPECIAL-5"},
		{"another consent", func(d *Draft) { d.Policy = consent }, "SPECIAL-6"},
		{"standard terms again", func(d *Draft) { d.Policy = Policy{Type: terms.Standard} }, "STANDARD"},
		{"the same special terms again", func(d *Draft) { d.Policy = consent }, "SPECIAL-8"},
	}
	for _, s := range steps {
		d := written(p)
		s.change(&d)
		if err := p.Revise(d, p.Version(), occasion()); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got := p.Snapshot().PolicyVersion; got != s.want {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
}

func TestF3_AStaleRevisionIsRefused(t *testing.T) {
	p := registered(t)
	if err := p.Revise(written(p), 1, occasion()); err != nil {
		t.Fatal(err)
	}
	if err := p.Revise(written(p), 1, occasion()); !errors.Is(err, fault.New(fault.Stale)) {
		t.Errorf("got %v, want STALE", err)
	}
	if p.Version() != 2 {
		t.Errorf("version %d", p.Version())
	}
}

func TestF3_WhatARevisionMayNotChange(t *testing.T) {
	closed := registered(t, func(d *Draft) {
		d.Departures = append(d.Departures, DepartureDraft{Date: "2027-05-01", Capacity: 10, MinParticipants: 1})
	})
	if _, err := closed.CloseDeparture("new-1", UnderSubscribed, "", now); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(d *Draft)
		want   []string
	}{
		{"nothing", func(*Draft) {}, nil},
		{"read-only members absent", func(d *Draft) { d.Repeats = Repeats{} }, nil},
		{"closure absent", func(d *Draft) { d.Departures[0].Closure = nil }, nil},
		{"another country", func(d *Draft) { d.Country = "FR" }, nil},
		{"another capacity", func(d *Draft) { d.Departures[1].Capacity = 5 }, nil},
		{"one more departure", func(d *Draft) {
			d.Departures = append(d.Departures, DepartureDraft{Date: "2027-06-01", Capacity: 1, MinParticipants: 1})
		}, nil},
		{"the kind", func(d *Draft) { d.Kind, d.Country = terms.Domestic, "KR" }, []string{"kind READ_ONLY"}},
		{"the status", func(d *Draft) { s := Discontinued; d.Repeats.Status = &s }, []string{"status READ_ONLY"}},
		{"the owner", func(d *Draft) { md := MDID("md-2"); d.Repeats.MD = &md }, []string{"mdId READ_ONLY"}},
		{"the time of registration", func(d *Draft) { at := now.Add(1); d.Repeats.CreatedAt = &at }, []string{"createdAt READ_ONLY"}},
		{"a known departure left out", func(d *Draft) { d.Departures = d.Departures[:1] }, []string{"departures REQUIRED"}},
		{"a known departure moved", func(d *Draft) { d.Departures[1].Date = "2027-05-02" }, []string{"departures[1].date READ_ONLY"}},
		{"a known departure replaced by another on its date", func(d *Draft) { d.Departures[1].ID = "" }, []string{"departures REQUIRED"}},
		{"a closed departure reopened under another reason", func(d *Draft) { d.Departures[0].Closure = &Closure{Reason: ForceMajeure} }, []string{"departures[0].closure READ_ONLY"}},
		{"a departure closed by hand", func(d *Draft) { d.Departures[1].Closure = &Closure{Reason: ForceMajeure} }, []string{"departures[1].closure READ_ONLY"}},
		{"a new departure in the past", func(d *Draft) {
			d.Departures = append(d.Departures, DepartureDraft{Date: "2026-11-22", Capacity: 1, MinParticipants: 1})
		}, []string{"departures[2].date IN_THE_PAST"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := Restore(closed.Snapshot())
			d := written(p)
			c.change(&d)
			err := p.Revise(d, p.Version(), occasion())
			if got := fields(t, err); !slices.Equal(got, c.want) {
				t.Errorf("refused %v, want %v", got, c.want)
			}
			s := p.Snapshot()
			if err != nil && !reflect.DeepEqual(s, closed.Snapshot()) {
				t.Error("a refused revision has changed the product")
			}
			if err == nil && s.Departures[0].Closure == nil {
				t.Error("the closure is lost")
			}
		})
	}
}

func TestF3_ADepartureThatHasLeftStaysInTheProduct(t *testing.T) {
	p := registered(t)
	later := Occasion{At: now.AddDate(1, 0, 0), NewID: occasion().NewID}
	if err := p.Revise(written(p), 1, later); err != nil {
		t.Errorf("a known departure in the past was refused: %v", err)
	}
}

func TestF4_DiscontinuedIsFinal(t *testing.T) {
	p := registered(t)
	if !p.Discontinue() || p.Discontinue() {
		t.Error("discontinuing must change once")
	}
	if p.Version() != 2 {
		t.Errorf("version %d, want 2", p.Version())
	}
	if err := p.Revise(written(p), 2, occasion()); !errors.Is(err, fault.New(fault.Discontinued)) {
		t.Errorf("got %v, want DISCONTINUED", err)
	}
}

func TestClosureOfADeparture(t *testing.T) {
	cases := []struct {
		name    string
		before  func(p *TourProduct)
		id      DepartureID
		at      time.Time
		changed bool
		code    fault.Code
	}{
		{"before its day", nil, "new-1", now, true, ""},
		{"on its day, a second before its end", nil, "new-1", time.Date(2027, 3, 14, 14, 59, 59, 0, time.UTC), true, ""},
		{"after its day", nil, "new-1", time.Date(2027, 3, 14, 15, 0, 0, 0, time.UTC), false, fault.TooLate},
		{"unknown", nil, "new-9", now, false, fault.NotFound},
		{"again", func(p *TourProduct) { _, _ = p.CloseDeparture("new-1", SupplierFault, "", now) }, "new-1", now, false, ""},
		{"again for another reason", func(p *TourProduct) { _, _ = p.CloseDeparture("new-1", ForceMajeure, "", now) }, "new-1", now, false, fault.DepartureClosed},
		{"of a discontinued product", func(p *TourProduct) { p.Discontinue() }, "new-1", now, true, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := registered(t)
			if c.before != nil {
				c.before(p)
			}
			version, status := p.Version(), p.Snapshot().Status
			changed, err := p.CloseDeparture(c.id, SupplierFault, "고장", c.at)
			if changed != c.changed || err != nil && fault.CodeOf(err) != c.code || err == nil && c.code != "" {
				t.Fatalf("changed %v, error %v; want %v, %s", changed, err, c.changed, c.code)
			}
			if raised := p.Version() == version+1; raised != c.changed || p.Snapshot().Status != status {
				t.Errorf("version %d after %d, status %s", p.Version(), version, p.Snapshot().Status)
			}
			if closure, err := p.ClosureOf(c.id); c.changed && (err != nil || closure.ClosedOn != terms.DateOf(c.at)) {
				t.Errorf("closure %+v, %v", closure, err)
			}
		})
	}
}

func TestClosureNeedsAReason(t *testing.T) {
	for reason, want := range map[ClosureReason]string{"": "reason REQUIRED", "RAIN": "reason NOT_ALLOWED", UnderSubscribed: "", SupplierFault: "", ForceMajeure: ""} {
		if got := strings.Join(fields(t, CheckClosure(reason, "")), ""); got != want {
			t.Errorf("%q: refused %q, want %q", reason, got, want)
		}
	}
	if got := fields(t, CheckClosure(ForceMajeure, strings.Repeat("가", 501))); !slices.Equal(got, []string{"note TOO_LONG"}) {
		t.Errorf("long note: refused %v", got)
	}
}
