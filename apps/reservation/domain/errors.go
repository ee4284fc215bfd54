package domain

import "oneqtour/apps/internal/fault"

// What reservation refuses.
var (
	ErrNotFound        = fault.New(fault.NotFound)
	ErrDiscontinued    = fault.New(fault.Discontinued)
	ErrDepartureClosed = fault.New(fault.DepartureClosed)
	ErrTooLate         = fault.New(fault.TooLate)
	ErrPriceChanged    = fault.New(fault.PriceChanged)
	ErrTermsChanged    = fault.New(fault.TermsChanged)
	ErrConsentRequired = &fault.Error{Code: fault.ConsentRequired, Fields: []fault.Field{{Name: "acceptedPolicyVersion", Code: fault.Required}}}
	ErrPlanNotOffered  = &fault.Error{Code: fault.PlanNotOffered, Fields: []fault.Field{{Name: "paymentPlan", Code: fault.NotAllowed}}}
	ErrSoldOut         = fault.New(fault.SoldOut)
	ErrIDTaken         = fault.New(fault.IDTaken)
	ErrTooOften        = fault.New(fault.Busy)
	ErrNotCancellable  = fault.New(fault.NotCancellable)
	ErrAlreadyDecided  = fault.New(fault.AlreadyDecided)
	ErrTooEarly        = fault.New(fault.TooEarly)
	ErrFeeChanged      = fault.New(fault.FeeChanged)
	ErrDeclined        = fault.New(fault.PaymentDeclined)
)
