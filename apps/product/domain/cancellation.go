package domain

import (
	"slices"
	"strconv"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

const (
	maxTiers    = 20
	maxFromDays = 365
	maxFeeRate  = money.BasisPoints(9_000)
	maxConsent  = 4_000 // characters a language
)

// Policy is the cancellation policy of a product: the standard schedule of its kind, or special terms, to
// which each customer has to consent.
type Policy struct {
	Type    string       // terms.Standard or terms.Special
	Tiers   []terms.Tier // special terms: descending days down to 0, rates that do not fall, at most 90 %
	Consent *Text        // special terms: what the customer agrees to
}

func (p Policy) check(wrong *fault.Fields) {
	const at = "cancellationPolicy"
	switch p.Type {
	case terms.Standard:
		wrong.Check(len(p.Tiers) == 0, at+".tiers", fault.NotAllowed, "SPECIAL")
		wrong.Check(p.Consent == nil, at+".consent", fault.NotAllowed, "SPECIAL")
	case terms.Special:
		p.checkTiers(at+".tiers", wrong)
		if p.Consent == nil {
			wrong.Check(false, at+".consent", fault.Required, "")
		} else {
			p.Consent.check(at+".consent", consentRule, wrong)
		}
	case "":
		wrong.Check(false, at+".type", fault.Required, "")
	default:
		wrong.Check(false, at+".type", fault.NotAllowed, "STANDARD, SPECIAL")
	}
}

func (p Policy) checkTiers(at string, wrong *fault.Fields) {
	wrong.Check(len(p.Tiers) > 0, at, fault.Required, "")
	if len(p.Tiers) > maxTiers { // not a word on each of them
		wrong.Check(false, at, fault.TooLong, "<= 20")
		return
	}
	for i, t := range p.Tiers {
		tier := at + "[" + strconv.Itoa(i) + "]"
		wrong.Check(t.FromDays >= 0 && t.FromDays <= maxFromDays, tier+".fromDays", fault.OutOfRange, "0..365")
		wrong.Check(t.Rate >= 0 && t.Rate <= maxFeeRate, tier+".rate", fault.OutOfRange, "0..9000")
		if i > 0 {
			wrong.Check(t.FromDays < p.Tiers[i-1].FromDays, tier+".fromDays", fault.OutOfRange, "< "+strconv.Itoa(p.Tiers[i-1].FromDays))
			wrong.Check(t.Rate >= p.Tiers[i-1].Rate, tier+".rate", fault.OutOfRange, ">= "+strconv.FormatInt(int64(p.Tiers[i-1].Rate), 10))
		}
	}
	if n := len(p.Tiers); n > 0 {
		wrong.Check(p.Tiers[n-1].FromDays == 0, at+"["+strconv.Itoa(n-1)+"].fromDays", fault.OutOfRange, "0")
	}
}

func (p Policy) filled() Policy {
	if p.Consent != nil {
		consent := p.Consent.filled()
		p.Consent = &consent
	}
	return p
}

// version names the terms. It changes whenever special terms or their consent text change, so that a customer
// cannot consent to terms other than those that were shown.
func (p Policy) version(before Policy, named string, productVersion int64) string {
	switch {
	case p.Type == terms.Standard:
		return terms.Standard
	case before.Type == terms.Special && slices.Equal(p.Tiers, before.Tiers) && *p.Consent == *before.Consent:
		return named
	default:
		return terms.Special + "-" + strconv.FormatInt(productVersion, 10)
	}
}
