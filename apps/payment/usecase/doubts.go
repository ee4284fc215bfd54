package usecase

import (
	"sync/atomic"

	"oneqtour/apps/payment/domain"
)

// several charges in a row without an outcome are the provider's; fewer may be a matter of their cards.
const several = 3

// doubts counts the charges in a row of which the provider did not say what became of them. The breaker of those who
// ask must hear of a provider that is ill. It must not hear of a single card: the one call by which it tries whether
// payment is well again would shut everybody out for as long again.
type doubts struct{ inARow atomic.Int32 }

// note takes what came of a charge while its caller waited, and says whether the provider seems to be ill.
func (d *doubts) note(came domain.ReplyKind) bool {
	switch came {
	case domain.Answered, domain.Refused:
		d.inARow.Store(0)
	case domain.Lost:
		return d.inARow.Add(1) >= several
	}
	return false
}
