-- +goose Up
SET @add_changed_at = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'reservations' AND column_name = 'changed_at') = 0,
    'ALTER TABLE reservations ADD COLUMN changed_at DATETIME(6) NULL COMMENT ''UTC, of the last line of the history''', 'DO 0');
PREPARE add_changed_at FROM @add_changed_at;
EXECUTE add_changed_at;
