package web

import "net/http"

// Through lets a test stand between an Identity and its issuer.
func (i *Identity) Through(change func(*http.Request)) *Identity {
	i.client.Transport = &briefly{next: rerouted{change}}
	return i
}

type rerouted struct{ change func(*http.Request) }

func (t rerouted) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.change(r)
	return http.DefaultTransport.RoundTrip(r)
}
