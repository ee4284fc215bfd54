package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// What the documents of the API say may be asked for passes the gateway and its service; a slip of the pen passes neither.
func TestQueriesAreTakenAsTheyAreDocumented(t *testing.T) {
	for _, c := range []struct{ user, path, members string }{
		{"md-1", "/api/products", "limit cursor"},
		{"md-1", "/api/md/notices", "after acknowledged limit cursor"},
		{"", "/api/store/items", "kind q country sort limit cursor"},
		{"customer-1", "/api/reservations", "limit cursor"},
		{"", "/api/view/board", "kind limit cursor"},
		{"customer-1", "/api/view/mine", "after limit cursor"},
		{"md-1", "/api/view/md", "limit cursor"},
		{"operator-1", "/api/ops/reservations", "stuckLongerThan limit cursor"},
		{"operator-1", "/api/ops/waivers", "status limit cursor"},
		{"operator-1", "/api/ops/refunds", "status limit cursor"},
		{"operator-1", "/api/ops/compensations", "status limit cursor"},
		{"operator-1", "/api/ops/reconciliation", "date"},
		{"operator-1", "/api/ops/dead-letters", "limit cursor all"},
	} {
		// All at once and empty: whatever may be absent is; the rest is refused for what it is, not for its name.
		query := "?" + strings.ReplaceAll(c.members, " ", "=&") + "="
		if a := sys.As(t, c.user).Do("GET", c.path+query, nil); a.Status == http.StatusBadRequest || a.Status >= 500 {
			t.Errorf("%s%s: %d %s", c.path, query, a.Status, a.Body)
		}
		if a := sys.As(t, c.user).Do("GET", c.path+"?limt=5", nil); a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), "limt") {
			t.Errorf("%s?limt=5: %d %s", c.path, a.Status, a.Body)
		}
	}
}
