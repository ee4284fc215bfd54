package main

import "oneqtour/apps/internal/config"

// settings are read from the environment; README.md explains them.
type settings struct {
	config.Service
	DatabaseDSN string `env:"ONEQ_DATABASE_DSN" secret:"true"` // user:password@tcp(host:port)/oneq_product
}
