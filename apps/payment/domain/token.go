package domain

// Token is the payer's one-time token. It goes to the provider and nowhere else: printed, logged or marshalled
// it shows nothing.
type Token struct{ secret string }

// NewToken takes a token: 1–200 visible characters.
func NewToken(s string) (Token, bool) {
	if !visible(s, 200) {
		return Token{}, false
	}
	return Token{s}, true
}

// Reveal is for the provider's adapter alone.
func (t Token) Reveal() string { return t.secret }

// String hides the token.
func (t Token) String() string { return "(token)" }

// GoString hides the token from %#v too.
func (t Token) GoString() string { return "(token)" }
