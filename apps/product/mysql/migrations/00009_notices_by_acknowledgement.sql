-- +goose Up
-- Adds column and index unless they are there: an MD with years of notices is shown those that are not acknowledged.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE notices
        ADD COLUMN acknowledged TINYINT GENERATED ALWAYS AS (acknowledged_at IS NOT NULL) VIRTUAL,
        ADD INDEX by_acknowledgement (md_id, acknowledged, seq)')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'notices' AND column_name = 'acknowledged');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
