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
}

const (
	generation = 1   // of the keys that are written and read
	pageSize   = 200 // entries of one index document: about 18 kB
)
