package main

import (
	"time"

	"oneqtour/apps/internal/config"
)

// settings are read from the environment; README.md explains them.
type settings struct {
	config.Service `env:",squash"`
	StateStore     string        `env:"ONEQ_STATESTORE" default:"statestore"` // name of the Dapr component
	Wait           time.Duration `env:"ONEQ_VIEW_WAIT" default:"2s"`          // for the version that a reader asks for
	Patience       time.Duration `env:"ONEQ_REBUILD_PATIENCE" default:"15m"`  // with a rebuild of which nothing more is heard
}

// Entries of one index document, about 90 bytes each. Products are registered seldom, and their index is read a hundred
// at a time; a customer's is written anew with each reservation, and read by twenty.
const (
	pageSize = 200
	tripPage = 40
)
