package usecase

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/viewpage/domain"
)

const (
	stillWritten = 5 * time.Second  // after the switch: readers notice within a second
	stillKept    = 30 * time.Second // after the last write: whoever began before has ended
	dropLease    = time.Minute
)

// retire stops writing to generations that nobody reads any more, and later removes their documents.
func (s *Service) retire(ctx context.Context, p plan) error {
	now := s.cfg.Now().UTC()
	for _, o := range p.Old {
		switch age := now.Sub(o.Since); {
		case o.Written && age > stillWritten:
			return s.plans.update(ctx, func(p *plan) bool {
				return p.changeOld(o, func(o *old) { o.Written, o.Since = false, now })
			})
		case !o.Written && age > stillKept && now.After(o.Dropping):
			return s.drop(ctx, o.Generation)
		}
	}
	return nil
}

// changeOld changes an entry that is still as it was.
func (p *plan) changeOld(was old, change func(*old)) bool {
	i := slices.Index(p.Old, was)
	if i < 0 {
		return false
	}
	change(&p.Old[i])
	return true
}

// drop removes all documents of a generation, those first that are found by others: cut off anywhere, it is begun
// again and finds the rest. What is in no index, such as a page that a lost answer has left behind, stays, never read.
func (s *Service) drop(ctx context.Context, generation int) error {
	k := keys{generation}
	p, mine, err := s.hold(ctx, generation)
	if err != nil || !mine {
		return err
	}
	// The generation that is read names everybody, too, also those whom this one did not note yet.
	for _, list := range []string{k.names(), keys{p.Current}.names()} {
		if err := s.dropNamed(ctx, generation, list); err != nil {
			return err
		}
	}
	for index, leaf := range map[string]func(string) []string{k.allProducts(): k.ofProduct, k.names(): none} {
		if err := s.dropIndex(ctx, index, leaf); err != nil {
			return err
		}
	}
	if p.Rebuild != nil && !p.running() {
		for _, owner := range owners {
			if err := s.state.Delete(ctx, progressKey(p.Rebuild.ID, owner)); err != nil {
				return err
			}
		}
	}
	zerolog.Ctx(ctx).Info().Int("generation", generation).Msg("an old generation is removed")
	return s.plans.update(ctx, func(p *plan) bool {
		before := len(p.Old)
		p.Old = slices.DeleteFunc(p.Old, func(o old) bool { return o.Generation == generation })
		return len(p.Old) < before
	})
}

// hold says that this replica is at it, to keep the others from doing the same.
func (s *Service) hold(ctx context.Context, generation int) (p plan, mine bool, err error) {
	until := s.cfg.Now().UTC().Add(dropLease)
	err = s.plans.update(ctx, func(doc *plan) bool {
		mine = doc.Current != generation && !(doc.running() && doc.Rebuild.Generation == generation)
		i := slices.IndexFunc(doc.Old, func(o old) bool { return o.Generation == generation })
		if mine = mine && i >= 0; mine {
			doc.Old[i].Dropping = until
		}
		p = *doc
		return mine
	})
	return p, mine, err
}

func none(string) []string { return nil }

func (k keys) ofProduct(id string) []string { return []string{k.product(id), k.totals(id)} }

// dropNamed removes the indexes of everybody on a list, and what is in them.
func (s *Service) dropNamed(ctx context.Context, generation int, list string) error {
	k := keys{generation}
	for page := newest; page != ""; {
		names, _, err := s.indexes.pages.get(ctx, pageKey(list, page))
		if err != nil {
			return err
		}
		if _, mine, err := s.hold(ctx, generation); err != nil || !mine {
			return err
		}
		for _, e := range names.Entries {
			leaf := k.ofProduct
			if strings.HasPrefix(e.ID, customerPrefix) {
				leaf = func(id string) []string { return []string{k.reservation(id)} }
			}
			if err := s.dropIndex(ctx, k.of(e.ID), leaf); err != nil {
				return err
			}
		}
		page = names.Older
	}
	return nil
}

// dropIndex removes an index with the documents that its entries name, the oldest page first, so that what is left
// can be found from the newest.
func (s *Service) dropIndex(ctx context.Context, index string, leaf func(id string) []string) error {
	var chain []string
	for page := newest; page != ""; {
		p, found, err := s.indexes.pages.get(ctx, pageKey(index, page))
		if err != nil {
			return err
		}
		if !found {
			break
		}
		chain, page = append(chain, page), p.Older
	}
	for _, page := range slices.Backward(chain) {
		p, _, err := s.indexes.pages.get(ctx, pageKey(index, page))
		if err != nil {
			return err
		}
		if page == newest {
			if err := s.state.Delete(ctx, directoryKey(index)); err != nil {
				return err
			}
		}
		if err := s.dropPage(ctx, pageKey(index, page), p, leaf); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) dropPage(ctx context.Context, key string, p domain.Page, leaf func(id string) []string) error {
	for _, e := range p.Entries {
		for _, doc := range leaf(e.ID) {
			if err := s.state.Delete(ctx, doc); err != nil {
				return err
			}
		}
	}
	return s.state.Delete(ctx, key)
}
