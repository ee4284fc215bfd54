// Package domain holds what is true of the view whatever keeps it: how an index of unlimited length is cut
// into pages, and which of two facts is the newer one.
package domain

import (
	"cmp"
	"hash/crc32"
	"slices"
)

// Position is the place of an entry in its index: newest first, by creation, then by id.
type Position struct {
	At int64  `json:"at"` // microseconds since 1970, UTC
	ID string `json:"id"`
}

// OlderThan says whether p stands behind q.
func (p Position) OlderThan(q Position) bool {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.ID, q.ID)) < 0
}

// Entry is one line of an index.
type Entry struct {
	Position
	Kind    string `json:"kind,omitempty"`    // what the list can be narrowed by
	Version int64  `json:"version,omitempty"` // of what Kind was copied from
}

// Page is one piece of an index: all entries from From (inclusive) up to To (exclusive). The pages of an index
// are a chain from the newest to the oldest; a full one is split, and the older half becomes a page behind it.
// The entries that a page is responsible for move only backwards along the chain, so whoever knows an outdated
// page finds everything by following Older.
type Page struct {
	Entries []Entry   `json:"entries"`         // newest first
	From    *Position `json:"from,omitempty"`  // nil: no older page
	To      *Position `json:"to,omitempty"`    // nil: no newer page
	Older   string    `json:"older,omitempty"` // name of the page behind this one, where From is set
}

// Exists tells an older page, which always has a newer one before it, from one that was never written.
func (p *Page) Exists() bool { return p.To != nil }

// Side says where a position belongs, seen from a page.
type Side int

// Sides of a page.
const (
	Here Side = iota
	Behind
	Before
)

// SideOf says whether the position belongs to this page.
func (p *Page) SideOf(at Position) Side {
	switch {
	case p.From != nil && at.OlderThan(*p.From):
		return Behind
	case p.To != nil && !at.OlderThan(*p.To):
		return Before
	}
	return Here
}

// Put inserts the entry, or renews it when its version is higher; false: nothing has changed.
func (p *Page) Put(e Entry) bool {
	i, found := slices.BinarySearchFunc(p.Entries, e.Position, func(have Entry, at Position) int {
		switch {
		case at.OlderThan(have.Position):
			return -1
		case have.OlderThan(at):
			return 1
		}
		return 0
	})
	if !found {
		p.Entries = slices.Insert(p.Entries, i, e)
		return true
	}
	if p.Entries[i].Version >= e.Version {
		return false
	}
	p.Entries[i] = e
	return true
}

// Split takes the older half out of the page and links it behind under the given name.
func (p *Page) Split(name string) Page {
	half := len(p.Entries) / 2
	bound := p.Entries[half-1].Position
	older := Page{Entries: slices.Clone(p.Entries[half:]), From: p.From, To: &bound, Older: p.Older}
	p.Entries, p.From, p.Older = p.Entries[:half], &bound, name
	return older
}

// maxListed is how many pages a directory names at most: some 35 kB, however long its index is.
const maxListed = 256

// Directory lists pages of an index with their bounds, so that a late entry need not walk the whole chain. It may be
// incomplete or outdated: the pages themselves say what they hold. A full one forgets half of its pages, at random, so
// that long indexes are named evenly; what lies between two that it names is found from the newer of them.
type Directory struct {
	Pages    []PageAt `json:"pages"`              // newest first
	Thinning int      `json:"thinning,omitempty"` // one page in 2^Thinning is named
}

// names says whether a page is among those that the directory names, always the same for the same page.
func (d *Directory) names(page PageAt) bool {
	return crc32.ChecksumIEEE([]byte(page.Name))&(1<<d.Thinning-1) == 0
}

// PageAt is a page with the oldest position that it held when it was made, and the position before which it ends,
// which never changes.
type PageAt struct {
	From *Position `json:"from,omitempty"`
	To   *Position `json:"to,omitempty"`
	Name string    `json:"name"`
}

func (a PageAt) reaches(at Position) bool { return a.From == nil || !at.OlderThan(*a.From) }

func (a PageAt) holds(at Position) bool {
	return a.reaches(at) && a.To != nil && at.OlderThan(*a.To)
}

// Note adds a page, or moves its bound.
func (d *Directory) Note(page PageAt) {
	d.Pages = slices.DeleteFunc(d.Pages, func(p PageAt) bool { return p.Name == page.Name })
	if !d.names(page) {
		return
	}
	i := slices.IndexFunc(d.Pages, func(p PageAt) bool {
		return p.From == nil || page.From != nil && !page.From.OlderThan(*p.From)
	})
	if i < 0 {
		i = len(d.Pages)
	}
	d.Pages = slices.Insert(d.Pages, i, page)
	for len(d.Pages) > maxListed {
		d.Thinning++
		d.Pages = slices.DeleteFunc(d.Pages, func(p PageAt) bool { return !d.names(p) })
	}
}

// Find names a page from which the one that holds the position is reached by going on to older ones, if possible that
// one itself; empty when none is known.
func (d *Directory) Find(at Position) string {
	newer := ""
	for _, p := range d.Pages {
		if p.holds(at) {
			return p.Name
		}
		if p.reaches(at) {
			break
		}
		newer = p.Name
	}
	return newer
}
