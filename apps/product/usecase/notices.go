package usecase

import (
	"context"

	"oneqtour/apps/product/domain"
)

// NoticePage asks for at most Limit notices whose number is greater than After.
type NoticePage struct {
	After        int64
	Acknowledged *bool // nil: whether or not they are
	Limit        int
}

// Notices reads the MD's notices, the oldest first.
func (s *Service) Notices(ctx context.Context, md domain.MDID, page NoticePage) ([]domain.Notice, error) {
	return s.inbox.Notices(ctx, md, page)
}

// Acknowledge marks one of the MD's notices as read; once more is no error. fault.NotFound.
func (s *Service) Acknowledge(ctx context.Context, md domain.MDID, seq int64) error {
	return s.inbox.Acknowledge(ctx, md, seq, s.occasion().At)
}
