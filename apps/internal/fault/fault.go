// Package fault is how oneqtour says that something is refused: an error that carries, from birth, the code
// that a caller of the API will read. Which HTTP status and which words belong to a code is settled in one
// place, web/problem.go. Every error that is not a fault is an internal error and is never shown.
package fault

import (
	"errors"
	"time"
)

// Code names a refusal for machines, as in the API's problem documents.
type Code string

// The codes of the public API.
const (
	Malformed             Code = "MALFORMED"
	IdempotencyKeyMissing Code = "IDEMPOTENCY_KEY_MISSING"
	IdempotencyKeyInvalid Code = "IDEMPOTENCY_KEY_INVALID"
	Unauthenticated       Code = "UNAUTHENTICATED"
	PaymentDeclined       Code = "PAYMENT_DECLINED"
	WrongRole             Code = "WRONG_ROLE"
	Forbidden             Code = "FORBIDDEN"
	NotFound              Code = "NOT_FOUND"
	MethodNotAllowed      Code = "METHOD_NOT_ALLOWED"
	RequestTimeout        Code = "REQUEST_TIMEOUT"
	SoldOut               Code = "SOLD_OUT"
	PriceChanged          Code = "PRICE_CHANGED"
	TermsChanged          Code = "TERMS_CHANGED"
	FeeChanged            Code = "FEE_CHANGED"
	DepartureClosed       Code = "DEPARTURE_CLOSED"
	TooLate               Code = "TOO_LATE"
	TooEarly              Code = "TOO_EARLY"
	AlreadyDecided        Code = "ALREADY_DECIDED"
	NotCancellable        Code = "NOT_CANCELLABLE"
	NotStuck              Code = "NOT_STUCK"
	IDTaken               Code = "ID_TAKEN"
	IdempotencyInProgress Code = "IDEMPOTENCY_IN_PROGRESS"
	ReplayFailed          Code = "REPLAY_FAILED"
	Discontinued          Code = "DISCONTINUED"
	Stale                 Code = "STALE"
	TooLarge              Code = "TOO_LARGE"
	UnsupportedMediaType  Code = "UNSUPPORTED_MEDIA_TYPE"
	Invalid               Code = "INVALID"
	ConsentRequired       Code = "CONSENT_REQUIRED"
	PlanNotOffered        Code = "PLAN_NOT_OFFERED"
	NotReplayable         Code = "NOT_REPLAYABLE"
	IdempotencyKeyReused  Code = "IDEMPOTENCY_KEY_REUSED"
	IfMatchRequired       Code = "IF_MATCH_REQUIRED"
	TooMany               Code = "TOO_MANY"
	Busy                  Code = "BUSY"
	NotSent               Code = "NOT_SENT"
	OutcomeUnknown        Code = "UNKNOWN"
	Unavailable           Code = "UNAVAILABLE"
	Internal              Code = "INTERNAL"
)

// Error is a refusal. Two errors are the same for errors.Is when their codes are equal.
type Error struct {
	Code       Code
	Fields     []Field        // which members of the input are wrong, for Invalid
	Extra      map[string]any // further members of the answer, such as seatsLeft
	RetryAfter time.Duration  // when to come back; 0 says nothing
	cause      error
}

// Field is one wrong member of the input.
type Field struct {
	Name   string // as a client wrote it: departures[0].date
	Code   string // REQUIRED, TOO_SMALL, … ; see the constants below
	Detail string // the bound that was broken, free of words but VisibleASCII: "1..99"
	// Pointer is the JSON Pointer (RFC 6901) of the member. Where it is empty the Name tells: only a name that a
	// client made up itself may hold dots and brackets of its own.
	Pointer string
}

// What can be wrong with a field.
const (
	Required    = "REQUIRED"
	OutOfRange  = "OUT_OF_RANGE"
	BadFormat   = "BAD_FORMAT"
	NotAllowed  = "NOT_ALLOWED"
	InThePast   = "IN_THE_PAST"
	Duplicate   = "DUPLICATE"
	TooLong     = "TOO_LONG"
	UnknownName = "UNKNOWN_MEMBER"
	ReadOnly    = "READ_ONLY"
)

// VisibleASCII is what a reference, a key or a token is made of: the characters from ! to ~.
const VisibleASCII = "visible ASCII characters"

// New makes a refusal with a code.
func New(code Code) *Error { return &Error{Code: code} }

// With returns a copy that carries one more member for the answer.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Extra = map[string]any{name: value}
	for k, v := range e.Extra {
		if k != name {
			c.Extra[k] = v
		}
	}
	return &c
}

// After returns a copy that tells the caller when to come back.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Because returns a copy that wraps the cause; it is logged and never shown.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

func (e *Error) Error() string {
	s := string(e.Code)
	for _, f := range e.Fields {
		s += " " + f.Name + ":" + f.Code
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is compares codes.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Code == e.Code
}

// CodeOf gives the code of an error: Internal for everything that is not a refusal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Fields collects what is wrong with an input, so that a caller hears all of it at once: up to 100 fields, since
// an answer must not grow with how much a caller makes wrong.
type Fields []Field

const maxFields = 100

// Check notes the field when ok is false.
func (f *Fields) Check(ok bool, name, code, detail string) {
	if !ok {
		f.Note(Field{Name: name, Code: code, Detail: detail})
	}
}

// Note notes a field.
func (f *Fields) Note(one Field) {
	if !f.Full() {
		*f = append(*f, one)
	}
}

// Full says that no more fields are noted, so that whoever looks for them may stop.
func (f *Fields) Full() bool { return len(*f) >= maxFields }

// Err is nil when nothing was noted, else an Invalid refusal that names every field.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Fields: f}
}
