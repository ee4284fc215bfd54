-- +goose Up
-- Departures from before the column: as their last reservation; without one, now.
UPDATE departures SET changed_at = COALESCE((SELECT MAX(r.changed_at) FROM reservations r WHERE r.departure_id = departures.id), NOW(6))
    WHERE changed_at IS NULL;
