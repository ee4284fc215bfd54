-- +goose Up
-- Adds the columns unless they are there, as 00003 does. retries: how often an operator had the provider asked again;
-- reference, settled_by, settled_at: the bank transfer, who recorded it and when.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE refunds ADD COLUMN requested_at DATETIME(6) NULL,
    ADD COLUMN retries INT NOT NULL DEFAULT 0, ADD COLUMN reference VARCHAR(100) NOT NULL DEFAULT '''',
    ADD COLUMN settled_by VARCHAR(255) NOT NULL DEFAULT '''', ADD COLUMN settled_at DATETIME(6) NULL')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'refunds' AND column_name = 'settled_at');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
