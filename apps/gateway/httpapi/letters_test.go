package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/web"
)

// keeping makes the stub answer as services that keep these letters, newest first, with at most so many on a page.
// The one that is down does not answer.
func keeping(f *fixture, letters []web.DeadLetter, most int, down string) {
	f.stub.answer = func(_ int, w http.ResponseWriter, r *http.Request) {
		name := strings.Split(r.URL.Path, "/")[3]
		if name == down {
			dapr(w, "connection refused")
			return
		}
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil {
			limit = 20
		}
		limit = min(limit, most)
		var at web.LetterMark
		cursor := r.URL.Query().Get("cursor")
		raw, _ := base64.RawURLEncoding.DecodeString(cursor)
		_ = json.Unmarshal(raw, &at)
		page := web.List[web.DeadLetter]{Items: []web.DeadLetter{}}
		for _, d := range letters {
			if d.App != name || cursor != "" && d.Mark().Compare(at) <= 0 {
				continue
			}
			if len(page.Items) == limit {
				page.NextCursor = web.Next(page.Items[limit-1].Mark())
				break
			}
			page.Items = append(page.Items, d)
		}
		answer, _ := json.Marshal(page)
		app(w, http.StatusOK, string(answer))
	}
}

// someLetters are letters of all keepers, newest first; many of the same moment.
func someLetters() (letters []web.DeadLetter) {
	for i := range 60 {
		name := keepers[i*i%len(keepers)]
		letters = append(letters, web.DeadLetter{
			ID: fmt.Sprintf("%s:01990000-0000-7000-8000-%012d", name, i), App: name,
			At: time.Date(2026, 11, 22, 0, 0, 60-i/4, 0, time.UTC), Payload: json.RawMessage(`{}`), Replays: []web.Replay{},
		})
	}
	slices.SortFunc(letters, func(a, b web.DeadLetter) int { return a.Mark().Compare(b.Mark()) })
	return letters
}

func (f *fixture) lettersAs(token, query string) (letterList, int) {
	res, body := f.do(http.MethodGet, "/api/ops/dead-letters"+query, "", "Authorization", token)
	var list letterList
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		f.t.Fatal(err)
	}
	return list, res.StatusCode
}

func TestTheDeadLettersOfAllServicesAreOneList(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	boss := f.issuer.Bearer("operator-1", web.RoleOperator)
	letters := someLetters()
	for _, size := range []struct{ limit, most int }{{100, 100}, {7, 100}, {1, 100}, {20, 2}, {5, 1}} {
		keeping(f, letters, size.most, "")
		var got []string
		query := ""
		for pages := 0; pages == 0 || query != ""; pages++ {
			list, status := f.lettersAs(boss, fmt.Sprintf("?limit=%d%s", size.limit, query))
			if status != http.StatusOK || len(list.Items) > size.limit || len(list.Unreachable) > 0 || pages > 100 {
				t.Fatalf("%d, %d letters, unreachable %v, page %d", status, len(list.Items), list.Unreachable, pages)
			}
			for _, d := range list.Items {
				got = append(got, d.ID)
			}
			query = ""
			if list.NextCursor != nil {
				query = "&cursor=" + *list.NextCursor
			}
		}
		want := make([]string, len(letters))
		for i, d := range letters {
			want[i] = d.ID
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d, pages of %d: %d letters, want %d in order", size.limit, size.most, len(got), len(want))
		}
	}
}

func TestAServiceThatDoesNotAnswerHidesNoOthersLetters(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	boss := f.issuer.Bearer("operator-1", web.RoleOperator)
	letters := someLetters()
	keeping(f, letters, 100, "reservation")
	list, status := f.lettersAs(boss, "?limit=100")
	want := 0
	for _, d := range letters {
		if d.App != "reservation" {
			want++
		}
	}
	if status != http.StatusOK || !slices.Equal(list.Unreachable, []string{"reservation"}) || len(list.Items) != want {
		t.Errorf("%d, unreachable %v, %d letters, want %d", status, list.Unreachable, len(list.Items), want)
	}
	for _, query := range []string{"?limit=0", "?limit=101", "?cursor=zzz", "?cursor=e30"} {
		if _, status := f.lettersAs(boss, query); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", query, status)
		}
	}
}

func TestK6_OnlyOperatorsSeeDeadLetters(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	for role, want := range map[string]int{"": 401, web.RoleMD: 403, web.RoleCustomer: 403} {
		token := ""
		if role != "" {
			token = f.issuer.Bearer("somebody", role)
		}
		if _, status := f.lettersAs(token, ""); status != want {
			t.Errorf("%q: %d, want %d", role, status, want)
		}
	}
	if calls := f.stub.seen(); len(calls) > 0 {
		t.Errorf("reached: %+v", calls)
	}
}

func TestALetterIsReplayedByTheServiceThatItsIdNames(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	boss := f.issuer.Bearer("operator-1", web.RoleOperator)
	replay := func(id string) int {
		res, _ := f.do(http.MethodPost, "/api/ops/dead-letters/"+id+"/replay", "", "Authorization", boss)
		return res.StatusCode
	}
	for _, name := range keepers {
		for _, colon := range []string{":", "%3A"} {
			status := replay(name + colon + id1)
			calls := f.stub.seen()
			if uri := "/v1.0/invoke/" + name + "/method/dead-letters/" + name + ":" + id1 + "/replay"; status != http.StatusOK || calls[len(calls)-1].uri != uri {
				t.Errorf("%s: %d %s", name, status, calls[len(calls)-1].uri)
			}
		}
	}
	before := len(f.stub.seen())
	for _, id := range []string{id1, "gateway:" + id1, "http://x:" + id1, "store:", "store:a/b", "store:a%2fb", "store:..", "Store:" + id1, "store:a:b",
		":" + id1, "store:" + strings.Repeat("a", 129), "store%00:" + id1} {
		if status := replay(id); status != http.StatusNotFound {
			t.Errorf("%s: %d", id, status)
		}
	}
	if n := len(f.stub.seen()) - before; n > 0 {
		t.Errorf("%d of them reached a service", n)
	}
}
