package usecase

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/viewpage/domain"
)

const (
	maxPages = 25 // of an index that one request may read
	newest   = "newest"
)

// indexes keeps lists of any length, newest entry first, in pages: the newest one under a fixed name, the
// older ones chained behind it (domain.Page).
type indexes struct {
	pages       *documents[domain.Page]
	directories *documents[domain.Directory]
	pageSize    int // entries; a page that holds more is split
	newID       func() string
	recent      *recent // pages for readers who take what is a moment old; nil: none do
}

// put inserts an entry into the page that it belongs to, or renews it there.
func (x *indexes) put(ctx context.Context, index string, e domain.Entry) error {
	return x.putFrom(ctx, index, nil, e)
}

// putFrom is put when the caller has just read the newest page.
func (x *indexes) putFrom(ctx context.Context, index string, last *seen, e domain.Entry) error {
	side, size, behindNewest := domain.Here, 0, ""
	for page := newest; ; {
		var older string
		gone := false
		err := x.pages.updateFrom(ctx, pageKey(index, page), last, func(p *domain.Page) bool {
			changed := false
			// Written anew, a page without bounds would take in everything and hide that entries are missing.
			if gone = page != newest && !p.Exists(); gone {
				return false
			}
			if side = p.SideOf(e.Position); side == domain.Here {
				changed = p.Put(e)
			}
			size, older = len(p.Entries), p.Older
			return changed
		})
		if err != nil {
			return err
		}
		last = nil // of another page
		switch {
		case gone:
			return missing(index, page)
		case side == domain.Here && size > x.pageSize:
			return x.split(ctx, index, page)
		case side == domain.Here:
			return nil
		case side == domain.Before: // the directory led too far
			page = behindNewest
		case page == newest:
			behindNewest = older
			if page, err = x.hint(ctx, index, e.Position, older); err != nil {
				return err
			}
		default:
			page = older
		}
	}
}

// hint names a page to begin with, for an entry that is older than the newest page.
func (x *indexes) hint(ctx context.Context, index string, at domain.Position, otherwise string) (string, error) {
	d, _, err := x.directories.get(ctx, directoryKey(index))
	if err != nil {
		return "", err
	}
	if page := d.Find(at); page != "" {
		return page, nil
	}
	return otherwise, nil
}

// split moves the older half of a full page into a new one behind it. The new page is written first, under a
// name of its own, so that nobody can see it until the old page links it; that one write is the split. Whoever
// loses against another writer leaves the page as it is: the next entry splits it.
func (x *indexes) split(ctx context.Context, index, name string) error {
	page, stored, err := x.pages.read(ctx, pageKey(index, name))
	if err != nil || len(page.Entries) <= x.pageSize {
		return err
	}
	end, olderName := page.Older, x.newID()
	older := page.Split(olderName)
	err = x.pages.put(ctx, pageKey(index, olderName), older, "")
	if err == nil {
		err = x.pages.put(ctx, pageKey(index, name), page, stored.ETag)
	}
	if errors.Is(err, ErrConflict) {
		linked, err := x.settle(ctx, index, link{name, olderName, end, stored.ETag})
		if err != nil || !linked {
			return err
		}
	} else if err != nil {
		return err
	}
	return x.directories.update(ctx, directoryKey(index), func(d *domain.Directory) bool {
		if name != newest {
			d.Note(domain.PageAt{From: page.From, To: page.To, Name: name})
		}
		d.Note(domain.PageAt{From: older.From, To: older.To, Name: olderName})
		return true
	})
}

// link is a split that was tried: page, last seen with etag, was to link older in front of end.
type link struct{ page, older, end, etag string }

// settle finds out what a conflict has left. A store may report one for a write whose answer was lost, so the
// older page is taken away only when it certainly is, and will be, out of the chain: the page that was to link
// it has changed, so that the write can no longer arrive, and nothing between it and the end leads there. Else
// the older page stays; one that nobody links harms nobody.
func (x *indexes) settle(ctx context.Context, index string, l link) (linked bool, err error) {
	page, stored, err := x.pages.read(ctx, pageKey(index, l.page))
	if err != nil {
		return false, err
	}
	if stored.ETag == l.etag {
		return false, nil
	}
	for range maxPages {
		switch page.Older {
		case l.older:
			return true, nil
		case l.end:
			return false, x.pages.state.Delete(ctx, pageKey(index, l.older))
		}
		next := page.Older
		found := false
		if page, found, err = x.pages.get(ctx, pageKey(index, next)); err != nil || !found {
			return false, err
		}
	}
	return false, nil
}

func missing(index, page string) error {
	return fault.New(fault.Unavailable).Because(fmt.Errorf("index %s: page %s is linked and missing", index, page))
}

// Cursor is where a page of a list has ended.
type Cursor struct {
	Page string `json:"p"`
	domain.Position
}

// Valid says whether the cursor can have been made here.
func (c Cursor) Valid() bool {
	return (c.Page == newest || isID(c.Page)) && c.At != 0 && c.ID != "" && len(c.ID) <= 128
}

// read lists up to limit entries that keep accepts, behind the cursor. next is nil at the end of the index.
func (x *indexes) read(ctx context.Context, index string, behind *Cursor, limit int, keep func(domain.Entry) bool) (entries []domain.Entry, next *Cursor, err error) {
	at := Cursor{Page: newest}
	if behind != nil {
		at = *behind
	}
	for n := range maxPages {
		page, found, err := x.page(ctx, pageKey(index, at.Page))
		if err != nil {
			return nil, nil, err
		}
		if !found && at.Page != newest {
			if n > 0 { // a part of the list, given for the whole, would be taken for the truth
				return nil, nil, missing(index, at.Page)
			}
			at.Page = newest // a cursor that was not made here, or of a generation that is gone
			continue
		}
		for _, e := range page.Entries {
			if behind != nil && !e.OlderThan(behind.Position) {
				continue
			}
			if keep(e) {
				if len(entries) == limit {
					return entries, &at, nil
				}
				entries = append(entries, e)
			}
			at.Position = e.Position
		}
		if page.Older == "" {
			return entries, nil, nil
		}
		at.Page = page.Older
	}
	return entries, &at, nil
}

func (x *indexes) page(ctx context.Context, key string) (domain.Page, bool, error) {
	if x.recent == nil {
		return x.pages.get(ctx, key)
	}
	return x.recent.get(ctx, key, x.pages)
}

const (
	moment    = 250 * time.Millisecond // how old a page may be
	manyPages = 256                    // that are kept: some MB
)

// recent keeps pages that everybody reads and hardly anybody writes. Nobody may change what it gives.
type recent struct {
	mu    sync.Mutex
	pages map[string]glance
}

type glance struct {
	page domain.Page
	at   time.Time
}

func (r *recent) get(ctx context.Context, key string, pages *documents[domain.Page]) (domain.Page, bool, error) {
	at := time.Now()
	r.mu.Lock()
	have, known := r.pages[key]
	r.mu.Unlock()
	if known && at.Sub(have.at) < moment {
		return have.page, true, nil
	}
	page, found, err := pages.get(ctx, key)
	if err != nil || !found {
		return page, found, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pages) >= manyPages {
		clear(r.pages)
	}
	r.pages[key] = glance{page, at}
	return page, true, nil
}

// forget lets everybody see at once what was written here.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.pages)
}
