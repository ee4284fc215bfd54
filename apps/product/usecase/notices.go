package usecase

import (
	"context"

	"oneqtour/apps/product/domain"
)

// NoticesAfter reads the MD's notices whose number is greater than after, the oldest first.
func (s *Service) NoticesAfter(ctx context.Context, md domain.MDID, after int64, limit int) ([]domain.Notice, error) {
	return s.inbox.NoticesAfter(ctx, md, after, limit)
}

// Acknowledge marks one of the MD's notices as read; once more is no error. fault.NotFound.
func (s *Service) Acknowledge(ctx context.Context, md domain.MDID, seq int64) error {
	return s.inbox.Acknowledge(ctx, md, seq, s.occasion().At)
}
