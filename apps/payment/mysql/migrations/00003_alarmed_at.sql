-- +goose Up
-- Adds the column unless it is there: MySQL 8 has no ADD COLUMN IF NOT EXISTS, and a crash may repeat this file.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE payments ADD COLUMN alarmed_at DATETIME(6) NULL')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'payments' AND column_name = 'alarmed_at');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
