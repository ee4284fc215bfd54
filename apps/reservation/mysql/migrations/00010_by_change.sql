-- +goose Up
SET @add_by_change = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'reservations' AND index_name = 'by_change') = 0,
    'ALTER TABLE reservations ADD KEY by_change (changed_at), ADD KEY by_creation (created_at)', 'DO 0');
PREPARE add_by_change FROM @add_by_change;
EXECUTE add_by_change;
