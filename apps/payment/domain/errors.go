package domain

import (
	"errors"

	"oneqtour/apps/internal/fault"
)

// What a caller is told.
var (
	// ErrNotSent: the provider was certainly not called, nothing is charged, and the attempt is forgotten.
	ErrNotSent = fault.New(fault.NotSent)
	// ErrUnknown: nobody knows yet whether the charge was made.
	ErrUnknown = fault.New(fault.OutcomeUnknown)
	// ErrOther: this payment was asked for before, with another amount or method.
	ErrOther = fault.New(fault.IdempotencyKeyReused)
	// ErrNotStuck: the refund is not one that people must settle.
	ErrNotStuck = fault.New(fault.NotStuck)
	// ErrNotFound: there is no such payment or refund.
	ErrNotFound = fault.New(fault.NotFound)
)

// What a service must not do; these are logged for an operator.
var (
	ErrNotStored     = errors.New("the payment is certainly not stored")
	ErrExists        = errors.New("there is a payment of this purpose already")
	ErrNotRefundable = errors.New("only an approved payment can be refunded")
	ErrTooMuch       = errors.New("refunds would exceed what was charged")
)
