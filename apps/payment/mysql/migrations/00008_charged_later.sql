-- +goose Up
-- Adds the column unless it is there, as 00003 does: whether the payment was charged when it was declined or voided already.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE payments ADD COLUMN charged_later BOOLEAN NOT NULL DEFAULT FALSE')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'payments' AND column_name = 'charged_later');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
