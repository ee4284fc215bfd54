package main

import (
	"time"

	"oneqtour/apps/internal/config"
)

type settings struct {
	config.Service
	DatabaseDSN string        `env:"ONEQ_DATABASE_DSN" secret:"true"`
	HoldLimit   time.Duration `env:"ONEQ_HOLD_LIMIT" default:"20s"` // how long seats wait for an unknown payment
}
