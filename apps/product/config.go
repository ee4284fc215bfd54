package main

import "oneqtour/apps/internal/config"

// settings are read from the environment; README.md explains them.
type settings struct {
	config.Service
	DatabaseDSN   string `env:"ONEQ_DATABASE_DSN" secret:"true"`     // user:password@tcp(host:port)/oneq_product
	NoticeBinding string `env:"ONEQ_NOTICE_BINDING" optional:"true"` // name of the Dapr component; empty: notices stay here
	NoticeAddress string `env:"ONEQ_NOTICE_ADDRESS" optional:"true"` // mail address of an MD: %s@example.com
}
