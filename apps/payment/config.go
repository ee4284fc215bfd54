package main

import (
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/payment/usecase"
)

// settings of payment, read from the environment. README.md lists them.
type settings struct {
	config.Service
	DSN             string        `env:"ONEQ_DATABASE_DSN" secret:"true"`
	ProviderURL     string        `env:"ONEQ_PROVIDER_URL"`
	ProviderSecret  string        `env:"ONEQ_PROVIDER_SECRET_KEY" secret:"true"`
	ProviderTimeout time.Duration `env:"ONEQ_PROVIDER_TIMEOUT" default:"8s"`
	AnswerWithin    time.Duration `env:"ONEQ_ANSWER_WITHIN" default:"2500ms"`
	Watch           time.Duration `env:"ONEQ_PAYMENT_WATCH" default:"24h"`
}

// margin is what a charge may take beside the provider's call: the time between storing it and calling.
const margin = 2 * time.Second

func (s settings) inFlight() time.Duration { return s.ProviderTimeout + margin }

// lease covers one step at its longest: read, ask, store, return, store.
func (s settings) lease() time.Duration { return 2*s.ProviderTimeout + 3*usecase.Storing }
