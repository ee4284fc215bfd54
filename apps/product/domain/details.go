package domain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Bounds of a product.
const (
	minPrice       money.KRW         = 1_000
	maxPrice       money.KRW         = 100_000_000
	maxDiscount    money.BasisPoints = 9_000
	maxFXBenefit   money.BasisPoints = 10_000
	maxNights                        = 60
	maxStars                         = 5
	maxName                          = 200   // characters a language
	maxDescription                   = 4_000 // characters a language
	homeCountry                      = "KR"
)

// Text is a text in both languages. English falls back to Korean when it is written, so that no reader needs
// a rule of its own.
type Text struct{ Ko, En string }

func (t Text) filled() Text {
	if strings.TrimSpace(t.En) == "" {
		t.En = t.Ko
	}
	return t
}

// textRule is what a text must keep to, in each language.
type textRule struct {
	most     int // characters
	required bool
	lines    bool // may have line breaks and tabs
}

var (
	nameRule        = textRule{most: maxName, required: true}
	descriptionRule = textRule{most: maxDescription, lines: true}
	consentRule     = textRule{most: maxConsent, required: true, lines: true}
	noteRule        = textRule{most: maxNote}
)

func (t Text) check(name string, rule textRule, wrong *fault.Fields) {
	wrong.Check(!rule.required || strings.TrimSpace(t.Ko) != "", name+".ko", fault.Required, "")
	rule.check(t.Ko, name+".ko", wrong)
	rule.check(t.En, name+".en", wrong)
}

// check also refuses control characters: nobody writes them, and lists, logs and mails are not made for them.
func (r textRule) check(text, name string, wrong *fault.Fields) {
	wrong.Check(utf8.RuneCountInString(text) <= r.most, name, fault.TooLong, "<= "+strconv.Itoa(r.most))
	for _, c := range text {
		if unicode.IsControl(c) && !(r.lines && (c == '\n' || c == '\t')) {
			wrong.Check(false, name, fault.BadFormat, fmt.Sprintf("U+%04X", c))
			return
		}
	}
}

// Details are what an MD says of a product, beside its departures.
type Details struct {
	Kind           string // terms.Domestic or terms.Overseas; fixed at registration
	Name           Text
	Description    Text
	Country        string    // ISO 3166-1 alpha-2: KR for domestic products, another for overseas ones
	Nights         int       // 0 is a day trip
	Price          money.KRW // list price of one traveller
	DiscountRate   money.BasisPoints
	Recommendation int // stars, 0–5
	FXBenefitRate  money.BasisPoints
	Savings        *SavingsOffer
	Policy         Policy
}

func (d Details) check(wrong *fault.Fields) {
	wrong.Check(d.Kind != "", "kind", fault.Required, "")
	wrong.Check(d.Kind == "" || d.Kind == terms.Domestic || d.Kind == terms.Overseas, "kind", fault.NotAllowed, "DOMESTIC, OVERSEAS")
	d.Name.check("name", nameRule, wrong)
	d.Description.check("description", descriptionRule, wrong)
	d.checkCountry(wrong)
	wrong.Check(d.Nights >= 0 && d.Nights <= maxNights, "nights", fault.OutOfRange, "0..60")
	wrong.Check(d.Price >= minPrice && d.Price <= maxPrice, "price", fault.OutOfRange, "1000..100000000")
	wrong.Check(d.DiscountRate >= 0 && d.DiscountRate <= maxDiscount, "discountRate", fault.OutOfRange, "0..9000")
	wrong.Check(d.Recommendation >= 0 && d.Recommendation <= maxStars, "recommendation", fault.OutOfRange, "0..5")
	wrong.Check(d.FXBenefitRate >= 0 && d.FXBenefitRate <= maxFXBenefit, "fxBenefitRate", fault.OutOfRange, "0..10000")
	if d.Savings != nil {
		d.Savings.check(wrong)
	}
	d.Policy.check(wrong)
}

func (d Details) checkCountry(wrong *fault.Fields) {
	switch {
	case d.Country == "":
		wrong.Check(false, "country", fault.Required, "")
	case len(d.Country) != 2 || strings.Trim(d.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		wrong.Check(false, "country", fault.BadFormat, "ISO 3166-1 alpha-2")
	case d.Kind == terms.Domestic:
		wrong.Check(d.Country == homeCountry, "country", fault.NotAllowed, "DOMESTIC: KR")
	case d.Kind == terms.Overseas:
		wrong.Check(d.Country != homeCountry, "country", fault.NotAllowed, "OVERSEAS: not KR")
	}
}

// SavingsOffer is the savings account that comes with a product.
type SavingsOffer struct {
	BaseRate         money.BasisPoints // a year
	PreferentialRate money.BasisPoints // on top of the base rate
	TermMonths       int
}

const (
	maxInterest   money.BasisPoints = 2_000
	maxTermMonths int               = 36
)

func (s SavingsOffer) check(wrong *fault.Fields) {
	wrong.Check(s.BaseRate >= 0 && s.BaseRate <= maxInterest, "savingsOffer.baseRate", fault.OutOfRange, "0..2000")
	wrong.Check(s.PreferentialRate >= 0 && s.PreferentialRate <= maxInterest, "savingsOffer.preferentialRate", fault.OutOfRange, "0..2000")
	wrong.Check(s.TermMonths >= 1 && s.TermMonths <= maxTermMonths, "savingsOffer.termMonths", fault.OutOfRange, "1..36")
}
