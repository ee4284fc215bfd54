-- +goose Up
SET @add_changed_at = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'departures' AND column_name = 'changed_at') = 0,
    'ALTER TABLE departures ADD COLUMN changed_at DATETIME(6) NULL COMMENT ''UTC, of the event that told the version; NULL: from before the column''', 'DO 0');
PREPARE add_changed_at FROM @add_changed_at;
EXECUTE add_changed_at;
