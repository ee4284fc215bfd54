package domain

import (
	"errors"
	"testing"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

const today = terms.Date("2026-11-22")

var at = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

func offer(version int64) Offer {
	return Offer{ProductID: "p-1", MD: "md-1", Version: version, Kind: terms.Overseas, Country: "JP", Nights: 2, Price: 800_000,
		DiscountRate: 500, Savings: &SavingsOffer{300, 50, 12}, Policy: Policy{Type: terms.Standard}, AsOf: at}
}

func discontinued(version int64) Offer {
	o := offer(version)
	o.Discontinued = true
	return o
}

func planned() []PlannedDeparture {
	return []PlannedDeparture{{ID: "d-2", Date: "2027-05-01", Capacity: 10}, {ID: "d-1", Date: "2027-03-14", Capacity: 20}}
}

func TestF6_TheHighestVersionIsDisplayed(t *testing.T) {
	var i DisplayItem
	cheap := offer(3)
	cheap.Price = 1_000
	for _, step := range []struct {
		told    Offer
		changed bool
	}{{offer(1), true}, {cheap, true}, {offer(2), false}, {offer(3), false}} {
		if changed := i.Follow(step.told, planned()); changed != step.changed {
			t.Errorf("version %d: changed %v", step.told.Version, changed)
		}
	}
	if s := i.Snapshot(); s.Offer.Version != 3 || s.Offer.Price != 1_000 {
		t.Errorf("version %d, price %d", s.Offer.Version, s.Offer.Price)
	}
}

func TestF7_WithdrawnIsForGood(t *testing.T) {
	cases := map[string][]Offer{
		"discontinued":                         {offer(1), discontinued(2)},
		"a late revision":                      {offer(1), discontinued(3), offer(2)},
		"discontinued before registered":       {discontinued(2), offer(1)},
		"a departure closed afterwards":        {offer(1), discontinued(2), discontinued(3)},
		"whatever a later version may pretend": {offer(1), discontinued(2), offer(3)},
	}
	for name, told := range cases {
		t.Run(name, func(t *testing.T) {
			var i DisplayItem
			for _, o := range told {
				i.Follow(o, planned())
			}
			if i.Displayed() || i.Listed() {
				t.Error("still displayed")
			}
		})
	}
}

func TestF5_WhatIsDisplayedAndListed(t *testing.T) {
	var i DisplayItem
	if i.Displayed() {
		t.Error("an item of which nothing is known is displayed")
	}
	i.Follow(offer(1), planned())
	if !i.Displayed() || !i.Listed() {
		t.Error("a registered product is not displayed")
	}
	i.Hide(true)
	if !i.Displayed() || i.Listed() {
		t.Error("a hidden item is readable and not listed")
	}
	i.Follow(offer(2), planned())
	if i.Listed() {
		t.Error("a revision has shown what its MD has hidden")
	}
}

func TestPositions(t *testing.T) {
	for position, ok := range map[int]bool{0: false, 1: true, 1_000_000: true, 1_000_001: false} {
		if err := CheckPosition(&position); (err == nil) != ok {
			t.Errorf("%d: %v", position, err)
		}
	}
	if err := CheckPosition(nil); err != nil {
		t.Errorf("no position: %v", err)
	}
}

func TestF16_SeatsAreCopiedByVersion(t *testing.T) {
	var s Seats
	steps := []struct {
		told    Seats
		gained  int
		changed bool
	}{
		{Seats{Version: 2, Reserved: 1}, 1, true},
		{Seats{Version: 2, Reserved: 1}, 0, false},
		{Seats{Version: 5, Reserved: 4}, 3, true},
		{Seats{Version: 3, Reserved: 2}, 0, false},
		{Seats{Version: 6, Reserved: 3}, -1, true},
	}
	for _, step := range steps {
		if gained, changed := s.Copy(step.told); gained != step.gained || changed != step.changed {
			t.Errorf("version %d: gained %d, changed %v", step.told.Version, gained, changed)
		}
	}
}

func TestSeatsLeft(t *testing.T) {
	plan := PlannedDeparture{ID: "d-1", Date: "2027-03-14", Capacity: 20}
	cases := map[string]struct {
		d      Departure
		left   int
		closed bool
	}{
		"nothing is known of its seats":   {Departure{plan, Seats{}}, 20, false},
		"some are held, some confirmed":   {Departure{plan, Seats{Version: 1, Capacity: 20, Held: 3, Confirmed: 4}}, 13, false},
		"made smaller than what is taken": {Departure{plan, Seats{Version: 1, Capacity: 5, Held: 3, Confirmed: 4}}, 0, false},
		"closed as reservation has it":    {Departure{plan, Seats{Version: 1, Capacity: 20, Closed: true}}, 20, true},
		"closed as product has it":        {Departure{PlannedDeparture{Capacity: 20, Closed: true}, Seats{}}, 20, true},
	}
	for name, c := range cases {
		if c.d.SeatsLeft() != c.left || c.d.Closed() != c.closed {
			t.Errorf("%s: %d left, closed %v", name, c.d.SeatsLeft(), c.d.Closed())
		}
	}
}

func displayed(change ...func(*Offer)) *DisplayItem {
	var i DisplayItem
	o := offer(1)
	for _, c := range change {
		c(&o)
	}
	i.Follow(o, planned())
	return &i
}

func TestP1_QuoteInFull(t *testing.T) {
	q, err := displayed().Quote(Wish{"d-1", 2, terms.PlanFull}, today)
	if err != nil {
		t.Fatal(err)
	}
	if q.Price != (terms.Price{List: 1_600_000, Discount: 80_000, Payable: 1_520_000}) || q.DueNow != 1_520_000 || q.Savings != nil {
		t.Errorf("got %+v", q)
	}
}

func TestP3_QuoteFundedBySavings(t *testing.T) {
	q, err := displayed().Quote(Wish{"d-1", 2, terms.PlanSavingsFunded}, today)
	if err != nil {
		t.Fatal(err)
	}
	want := terms.SavingsPlan{Deposit: 152_000, Balance: 1_368_000, DueOn: "2027-02-12", Rounds: 2, Monthly: 684_000, MaturesOn: "2027-01-22"}
	if q.DueNow != 152_000 || q.Savings == nil || *q.Savings != want {
		t.Errorf("got %+v %+v", q, q.Savings)
	}
}

func TestF2_EachKindHasItsOwnSchedule(t *testing.T) {
	domestic := func(nights int) func(*Offer) {
		return func(o *Offer) { o.Kind, o.Country, o.Nights = terms.Domestic, "KR", nights }
	}
	special := func(o *Offer) {
		o.Policy = Policy{Type: terms.Special, Version: "SPECIAL-4", Tiers: []terms.Tier{{FromDays: 0, Rate: 5000}}}
	}
	cases := map[string]struct {
		item *DisplayItem
		want string
		rate money.BasisPoints // seven days before
	}{
		"overseas":          {displayed(), "STANDARD-OVERSEAS-2014-03-21", 3000},
		"domestic":          {displayed(domestic(2)), "STANDARD-DOMESTIC-NIGHTS-2014-03-21", 0},
		"domestic day trip": {displayed(domestic(0)), "STANDARD-DOMESTIC-DAY-2014-03-21", 0},
		"special terms":     {displayed(special), "SPECIAL-4", 5000},
	}
	for name, c := range cases {
		q, err := c.item.Quote(Wish{"d-1", 1, terms.PlanFull}, today)
		if err != nil || q.Schedule.Version != c.want || q.Schedule.RateAt(7) != c.rate {
			t.Errorf("%s: %+v, %v", name, q.Schedule, err)
		}
	}
}

func TestQuotesThatAreRefused(t *testing.T) {
	wish := Wish{"d-1", 2, terms.PlanFull}
	funded := Wish{"d-1", 2, terms.PlanSavingsFunded}
	closed := displayed()
	closed.departures[0].Seats = Seats{Version: 1, Closed: true}
	cases := map[string]struct {
		item  *DisplayItem
		wish  Wish
		today terms.Date
		want  fault.Code
	}{
		"nothing is known":         {&DisplayItem{}, wish, today, fault.NotFound},
		"withdrawn":                {displayed(func(o *Offer) { o.Discontinued = true }), wish, today, fault.NotFound},
		"unknown departure":        {displayed(), Wish{"d-9", 2, terms.PlanFull}, today, fault.NotFound},
		"closed":                   {closed, wish, today, fault.DepartureClosed},
		"on the day of departure":  {displayed(), wish, "2027-03-14", fault.TooLate},
		"no savings offer":         {displayed(func(o *Offer) { o.Savings = nil }), funded, today, fault.PlanNotOffered},
		"too late to save":         {displayed(), funded, "2027-01-13", fault.PlanNotOffered},
		"too late to save, closed": {closed, funded, "2027-01-13", fault.PlanNotOffered},
		"closed, on its day":       {closed, wish, "2027-03-14", fault.DepartureClosed},
		"deposit below 100 won":    {displayed(func(o *Offer) { o.Price, o.DiscountRate = 1_000, 9_000 }), funded, today, fault.PlanNotOffered},
		"hidden, and still quoted": {func() *DisplayItem { i := displayed(); i.Hide(true); return i }(), wish, today, ""},
	}
	for name, c := range cases {
		_, err := c.item.Quote(c.wish, c.today)
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, fault.New(c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for _, w := range []Wish{{"d-1", 0, terms.PlanFull}, {"d-1", 100, terms.PlanFull}, {"d-1", 1, "LATER"}} {
		if err := w.Check(); !errors.Is(err, fault.New(fault.Invalid)) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

func TestComingDeparturesByDate(t *testing.T) {
	i := displayed()
	for day, want := range map[terms.Date]int{"2027-03-13": 2, "2027-03-14": 1, "2027-05-01": 0} {
		if got := i.Coming(day); len(got) != want {
			t.Errorf("%s: %d, want %d", day, len(got), want)
		}
	}
	if i.Coming(today)[0].ID != "d-1" {
		t.Error("the departures are not sorted by date")
	}
}

func TestAsOfIsTheLatestEvent(t *testing.T) {
	i := displayed()
	if !i.AsOf().Equal(at) {
		t.Errorf("as of %s", i.AsOf())
	}
	i.departures[1].Seats.AsOf = at.Add(time.Minute)
	if !i.AsOf().Equal(at.Add(time.Minute)) {
		t.Errorf("as of %s", i.AsOf())
	}
}
