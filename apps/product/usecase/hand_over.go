package usecase

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// Handovers keeps which notices are still owed to the receiver outside.
type Handovers interface {
	// Claim leases a notice that is due; ok is false when none is.
	Claim(ctx context.Context, lease time.Duration) (n domain.OwedNotice, ok bool, err error)
	// Settle forgets one that was taken.
	Settle(ctx context.Context, n domain.OwedNotice) error
	// Postpone makes one due again after a pause.
	Postpone(ctx context.Context, n domain.OwedNotice, pause time.Duration) error
	// Rest lets no notice of the MD be due before the pause is over.
	Rest(ctx context.Context, md domain.MDID, pause time.Duration) error
}

// Receiver takes notices for an MD outside of this system.
type Receiver interface {
	HandOver(ctx context.Context, m Message) error
}

// Message is a notice in words. ID is the same however often it is handed over.
type Message struct {
	ID string // {mdId}:{seq}
	domain.OwedNotice
	Title, Text contract.Text
}

const (
	patience = 10 * time.Second // for one attempt
	lease    = 30 * time.Second // longer than an attempt and what is stored of it
	idle     = time.Second      // between looks
	refusals = 32               // in a row, after which each one is followed by a rest: nobody may be there
	share    = 9                // of the time that an MD's failure has cost, the others have at least so many times
)

// HandOver hands over what is owed until the context ends: one notice at a time, since the mail binding of the
// sidecar mixes up the recipients of mails that it is given side by side. A notice that the receiver refuses
// rests and is tried again, and so is one whose replica died: at least once, never lost. After a failure all that
// is owed to the MD rests for a multiple of the time that it took: one who does not answer takes a tenth of the time
// of all, however much is owed to him. The inbox and the events do not wait for any of it.
func HandOver(ctx context.Context, owed Handovers, to Receiver) error {
	refused := 0
	for ctx.Err() == nil {
		found, err := handOverOne(ctx, owed, to)
		switch {
		case err != nil:
			zerolog.Ctx(ctx).Warn().Err(err).Msg("notice not handed over, will try again")
			refused++
		case found:
			refused = 0
		}
		if found && refused < refusals {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(idle):
		}
	}
	return nil
}

// handOverOne finishes what it has begun, also when it is told to stop: a notice in mid-air comes twice.
func handOverOne(ctx context.Context, owed Handovers, to Receiver) (found bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	n, found, err := owed.Claim(ctx, lease)
	if err != nil || !found {
		return false, err
	}
	begun := time.Now()
	failed := to.HandOver(ctx, messageOf(n))
	took := time.Since(begun)
	storing, stored := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stored()
	if failed == nil {
		return true, owed.Settle(storing, n)
	}
	if err := owed.Postpone(storing, n, domain.PauseAfter(n.Attempts)); err != nil {
		return false, err // its lease will end
	}
	if err := owed.Rest(storing, n.MD, share*took); err != nil {
		return false, err
	}
	return true, fmt.Errorf("%s:%d, attempt %d: %w", n.MD, n.Seq, n.Attempts, failed)
}
