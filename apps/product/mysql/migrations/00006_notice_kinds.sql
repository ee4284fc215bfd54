-- +goose Up
-- Adds the columns unless they are there: MySQL 8 has no ADD COLUMN IF NOT EXISTS, and a crash may repeat this file.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE notices
        ADD COLUMN kind VARCHAR(64) NOT NULL DEFAULT ''TRANSITION'',
        ADD COLUMN cause VARCHAR(200) NOT NULL DEFAULT ''''')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'notices' AND column_name = 'kind');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
