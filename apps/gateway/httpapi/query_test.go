package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/web"
)

// Of everybody who may ask; who may not is told that first.
func TestARouteTakesItsQueryMembersAndNoOthers(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	everybody := f.issuer.Bearer("boss", web.RoleMD, web.RoleCustomer, web.RoleOperator)
	declared := 0
	ask := func(method, path string, taken []string, anyone bool) {
		t.Helper()
		path = fill.Replace(path)
		if slices.Contains(taken, web.Anything) {
			return
		}
		for _, query := range append([]string{"limt=5", "limit=5&limits=5", "limit=1&limit=1", "limit=%ff"}, taken...) {
			want, before := http.StatusBadRequest, len(f.stub.seen())
			if slices.Contains(taken, query) {
				want, query = http.StatusOK, query+"="
			}
			res, body := f.do(method, path+"?"+query, "{}", "Authorization", everybody, "Accept-Language", "en")
			calls := f.stub.seen()[before:]
			if res.StatusCode != want || (len(calls) > 0) != (want == http.StatusOK) {
				t.Errorf("%s %s?%s: %d %s, %d calls", method, path, query, res.StatusCode, body, len(calls))
			}
			if want == http.StatusBadRequest && !strings.Contains(body, `"field":"li`) {
				t.Errorf("%s %s?%s names nothing: %s", method, path, query, body)
			}
		}
		if res, _ := f.do(method, path+"?limt=5", "{}"); !anyone && res.StatusCode != http.StatusUnauthorized {
			t.Errorf("a stranger at %s %s: %d", method, path, res.StatusCode)
		}
	}
	for _, r := range routes {
		taken := takes[r.method+" "+r.path]
		if taken != nil {
			declared++
		}
		ask(r.method, r.path, taken, len(r.roles) == 0)
	}
	if declared != len(takes) {
		t.Errorf("%d routes have a query of their own, the table has %d", declared, len(takes))
	}
	ask(http.MethodGet, "/", nil, true)
	ask(http.MethodGet, "/problems/NOT_FOUND", nil, true)
	if res, _ := f.do(http.MethodGet, "/healthz?probe=7", ""); res.StatusCode != http.StatusOK {
		t.Errorf("a probe: %d", res.StatusCode)
	}
	for _, query := range []string{"all=maybe", "all=true&all=true", "al=true"} {
		if _, status := f.lettersAs(everybody, "?"+query); status != http.StatusBadRequest {
			t.Errorf("letters, %s: %d", query, status)
		}
	}
}
