package main

import (
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/reservation/usecase"
)

type settings struct {
	config.Service
	DatabaseDSN string        `env:"ONEQ_DATABASE_DSN" secret:"true"`
	HoldLimit   time.Duration `env:"ONEQ_HOLD_LIMIT" default:"20s"` // how long seats wait for an unknown payment

	AtWork       int           `env:"ONEQ_RESERVATIONS_AT_WORK" default:"64"`   // at the same time
	Waiting      int           `env:"ONEQ_RESERVATIONS_WAITING" default:"1000"` // for their turn; more are BUSY
	Wait         time.Duration `env:"ONEQ_RESERVATIONS_WAIT" default:"2s"`      // for a turn, then BUSY
	Unknown      int           `env:"ONEQ_RESERVATIONS_UNKNOWN" default:"256"`  // waiting for a product not yet heard of; more are NOT_FOUND
	BreakerPause time.Duration `env:"ONEQ_BREAKER_PAUSE" default:"1s"`          // BUSY for all after payment or its provider could not be reached
	SagaTime     time.Duration `env:"ONEQ_SAGA_TIME" default:"8s"`              // for reserving until payment has answered
	PaymentTime  time.Duration `env:"ONEQ_PAYMENT_TIME" default:"3s"`           // for payment's answer
	Resend       time.Duration `env:"ONEQ_RESEND" default:"1m"`                 // before payment is reminded
}

// limits are the settings as the use cases take them.
func (s settings) limits() usecase.Limits {
	l := usecase.DefaultLimits()
	l.Admission = usecase.Admission{AtWork: s.AtWork, Waiting: s.Waiting, Wait: s.Wait, Pause: s.BreakerPause, Unknown: s.Unknown}
	l.Hold, l.Saga, l.Call, l.Resend = s.HoldLimit, s.SagaTime, s.PaymentTime, s.Resend
	return l
}
